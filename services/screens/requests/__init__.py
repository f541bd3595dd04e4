"""Requests as people see them: where each stands, what is offered to whom, what waits."""
