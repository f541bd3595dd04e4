"""Matching: the judge of requests. Who does what, and which move is legal."""
