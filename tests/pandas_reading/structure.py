"""S: one document per revision, and members that carry what their family carries."""

import pandas as pd

from pandas_reading.logic import certain
from pandas_reading.part import Part
from pandas_reading.registry import reads


@reads("S01")
def document_twice(part: Part) -> "pd.Series[bool]":
    """The same document and revision more than once, where both are given."""
    families = part.families.values
    given = families["id_dokumen"].notna() & families["versi"].notna()
    return certain(given & families.duplicated(["id_dokumen", "versi"], keep=False))


@reads("S02")
def misfits(part: Part) -> "pd.Series[bool]":
    """A member that disagrees was given to this family, or claims its key."""
    stray = part.belonging[part.belonging["misfit"]]
    index = part.families.values.index
    claimed = part.family_keys.reindex(index).isin(list(stray["key"]))
    return pd.Series(index.isin(stray["keluarga_row"]), index=index) | claimed
