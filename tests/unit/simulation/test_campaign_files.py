"""Campaign files: what they change, what they leave, and what they must not say."""

from pathlib import Path

import numpy as np
import pytest

from regsosek.errors import ConfigurationError
from regsosek.simulation.field.campaign import NEVER, Campaign, behaviour_of, default_behaviour
from regsosek.simulation.field.frame import province_frame
from regsosek.simulation.field.frame_changes import formed_from, retired_from
from regsosek.simulation.field.timeline import messages


def campaign_file(folder: Path, text: str) -> Path:
    path = folder / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    changed = behaviour_of(campaign_file(tmp_path, "incident = []\n[enumeration]\nweekend_weight = 3.0\n"))
    usual = default_behaviour()
    assert (changed.incident, changed.enumeration.weekend_weight) == ((), 3.0)
    assert changed.enumeration.model_copy(update={"weekend_weight": 1.5}) == usual.enumeration
    assert changed.frame == usual.frame


@pytest.mark.parametrize("text", ["[enumeration]\npase = 1\n", "not toml", "[enumeration.curve]\n35 = [[7, 1.5]]\n"])
def test_what_no_campaign_knows_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"campaign\.toml"):
        behaviour_of(campaign_file(tmp_path, text))


def test_a_curve_is_followed(tmp_path: Path) -> None:
    own = "[enumeration.curve]\n65 = [[10, 0.5], [31, 0.6]]\n"
    text = f"[enumeration]\nofficer_spread = 0.0\nkabkota_spread = 0.0\n{own}"
    behaviour = behaviour_of(campaign_file(tmp_path, text))
    assert done_by_day_ten(Campaign(scale=1 / 100, behaviour=behaviour), "65") == pytest.approx(0.5, abs=0.02)


def done_by_day_ten(campaign: Campaign, province: str) -> float:
    frame = province_frame(campaign, province)
    sent = messages(campaign, frame, after=0, until=NEVER, defect_share=0)
    return sum(int((piece.enumerated <= 10).sum()) for piece in sent) / int(frame.subsls.load.sum())


def test_sls_are_formed_only_where_a_file_says_so(tmp_path: Path) -> None:
    shaped = behaviour_of(campaign_file(tmp_path, "[frame]\nformed_share = 0.2\nformed_days = [3, 6]\n"))
    subsls = province_frame(Campaign(scale=1 / 100), "65").subsls
    assert not formed_from(Campaign(), subsls).any()
    formed = formed_from(Campaign(behaviour=shaped), subsls)
    assert 0.05 < (formed > 0).mean() < 0.4
    assert set(formed[formed > 0]) <= {3, 4, 5, 6}
    assert not np.any((formed > 0) & (retired_from(Campaign(behaviour=shaped), subsls) != NEVER))
