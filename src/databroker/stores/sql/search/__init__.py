"""Searches: what is indexed, questions as conditions on the indexes, a plan to answer them."""
