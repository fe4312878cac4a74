"""The S3 edge, as far as no server is needed: a listing is whole or an error."""

import pytest

from regsosek.errors import ObjectStoreError
from regsosek.landing.object_store import ObjectStore, Patience


class ForgetfulClient:
    """Says that a listing goes on, and hands out the tokens given."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)

    def list_objects_v2(self, **_):
        token = self.tokens.pop(0)
        page = {"Contents": [{"Key": "prov=35/k", "Size": 1, "ETag": '"e"'}], "IsTruncated": True}
        return page | ({"NextContinuationToken": token} if token else {})


@pytest.mark.parametrize("tokens", [(None,), ("a", "a")], ids=["no token", "the same token"])
def test_a_listing_that_cannot_go_on_is_an_error(tokens):
    store = ObjectStore(ForgetfulClient(*tokens), Patience())
    with pytest.raises(ObjectStoreError, match="list landing/prov=35/: truncated"):
        list(store.list_objects("landing", "prov=35/"))
