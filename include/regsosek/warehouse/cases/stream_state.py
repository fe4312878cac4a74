"""The streams as of a night: of all messages with one key the newest holds, whatever order they arrived in.

A message is newer by when its delivery was produced, then by its delivery's id, then by its place in it. Messages of a
delivery that another accepted one supersedes count no more from that one's night on; what a withdrawn tag said is
there with its status (``status_dokumen`` 9), and the reader decides what that means.
"""

from regsosek.contract.stream_kinds import MESSAGES

# A rename or merge may be told without a new code: then the key has no second half.
_NEWEST = """
SELECT DISTINCT ON ({key}) m.*
FROM stream.{dataset} m
JOIN ledger.delivery d ON d.province = m.province AND d.delivery_id = m.delivery_id AND d.state = 'accepted'{among}
WHERE m.province = :province AND m.night <= :night AND m.delivery_id NOT IN (
    SELECT jsonb_array_elements_text(s.supersedes) FROM ledger.delivery s
    WHERE s.province = :province AND s.state = 'accepted' AND coalesce(s.decided_night, s.night) <= :night)
ORDER BY {key}, m.produced_at DESC, m.delivery_id DESC, m.part DESC, m.row_no DESC
"""


def newest_messages(dataset: str, among: str = "", night: str = "night") -> str:
    """SQL: the messages of stream ``dataset`` that hold as of a night: every column of its table, one row per key.

    Parameters of the query: ``province`` and ``night``, or as it is named.

    Args:
        among: a relation with the columns of the key; only its keys are looked up.
    """
    columns = MESSAGES[dataset].key
    key = ", ".join(f"m.{column}" for column in columns)
    joined = f"\nJOIN {among} USING ({', '.join(columns)})" if among else ""
    return _NEWEST.format(dataset=dataset, key=key, among=joined).replace(":night", f":{night}")
