"""`warroom doctor`: looks at an installation and says in words what is wrong with it, and what to do.

A check gathers facts and hands them to a function that judges: the judgement is pure, and is what most tests test.
"""
