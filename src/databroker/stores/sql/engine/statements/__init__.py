"""All that is asked of the tables, and told them: a function for each statement.

They take and give rows as they are stored; what stands in them is the affair of who calls.
"""
