"""The size of what a conformance suite inserts and asks, for stores that pass others through."""


class FewDocuments:
    """Where another suite tries the same code with as many documents as there should be."""

    def many(self, number):
        return min(number, 60)

    def many_rows(self, number):
        return min(number, 100 + number // 10)

    def some(self, questions):
        return questions[::3]
