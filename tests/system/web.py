"""HTTP to processes of this machine, by httpx.

Of itself it reads a store of certificates at each question: 50 ms of a core, which somebody who
asks until something is true would take from all that is watched.
"""

from functools import partial

import httpx

get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
put = partial(httpx.put, verify=False)
stream = partial(httpx.stream, verify=False)
