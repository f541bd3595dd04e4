"""The services: each knows the contract and the log, and none of the others."""
