"""How the parts are put together and run: the `yizhan` command and what it starts."""
