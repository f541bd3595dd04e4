"""A sample province: made-up facts that add up to the printed figures, and traffic after them.

Everything that makes events here is pure and seeded: the same arguments give the same events, so a
demo that starts again repeats what it sent and changes nothing.
"""
