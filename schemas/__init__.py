"""The contract: events, topics, codec, errors, and the measures they add up to. No I/O."""
