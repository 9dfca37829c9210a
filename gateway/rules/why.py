"""Why a rule says what it says, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gateway.model import Text
from gateway.rules.explanation import Decider, LevelNow, Mask, Named, Says
from gateway.rules.facts import OUT_OF_RANGE

_SAID = {
    Says.TRUE: Text("为真", "is true"),
    Says.FALSE: Text("为假", "is false"),
    Says.CANNOT_TELL: Text("无法判断", "cannot be told"),
}
_IS_OUT_OF_RANGE = (f"{OUT_OF_RANGE} != ''", f"{OUT_OF_RANGE} == ''")
Naming = Callable[[str], Named]


def sentence(
    says: Says,
    mask: Mask | None,
    levels: Sequence[LevelNow],
    held: LevelNow | None,
    missing: Sequence[str],
    named: Naming,
) -> Text:
    """The answer and what decided it; `held` is the highest level that holds, `missing` what has no value."""
    if says is Says.CANNOT_TELL:
        return _unsure(held, missing)
    if mask is not None and not mask.is_armed and held is None:
        told = _told(mask.deciders, named)
        if mask.says is not Says.TRUE:
            return Text(f"现在不判断：{told.zh}", f"not judged now: {told.en}")
        return Text(f"尚未开始判断，时间还不够长：{told.zh}", f"not judged yet, not for long enough: {told.en}")
    if held is None:
        coming = next((each for each in levels if each.says is Says.TRUE), None)
        told = _told((coming or levels[-1]).deciders, named)
        if coming is None:
            return Text(f"不成立：{told.zh}", f"does not hold: {told.en}")
        return Text(f"还不成立，持续时间不够：{told.zh}", f"does not hold yet, not for long enough: {told.en}")
    told = _told(held.deciders, named)
    if held.says is Says.TRUE:
        return Text(f"成立：{told.zh}", f"holds: {told.en}")
    return Text(
        f"仍然成立：{told.zh}，但还没有到恢复条件 {held.clear}",
        f"still holds: {told.en}, but what clears it is not met: {held.clear}",
    )


def _unsure(held: LevelNow | None, missing: Sequence[str]) -> Text:
    zh, en = "、".join(missing), ", ".join(missing)
    reason = Text(f"缺少 {zh}", f"missing: {en}") if missing else Text("启动后还没有判断过", "not looked at yet")
    if held is None:
        return Text(f"无法判断，{reason.zh}", f"cannot be told, {reason.en}")
    return Text(f"无法判断，保持原状，{reason.zh}", f"cannot be told, stays as it was, {reason.en}")


def _told(deciders: Iterable[Decider], named: Naming) -> Text:
    parts = [_part(each, named) for each in deciders]
    return Text("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _part(decider: Decider, named: Naming) -> Text:
    if decider.text in _IS_OUT_OF_RANGE:
        return _out_of_range(named(OUT_OF_RANGE).value)
    said = _SAID[decider.says]
    if decider.names == (decider.text,):
        label = named(decider.text).label
        if label is None:
            return Text(f"{decider.text} {said.zh}", f"{decider.text} {said.en}")
        return Text(f"{label.zh}（{decider.text}）{said.zh}", f"{label.en} ({decider.text}) {said.en}")
    values = [_valued(named(name)) for name in decider.names]
    zh, en = "，".join(each.zh for each in values), ", ".join(each.en for each in values)
    note = Text(f"（{zh}）", f" ({en})") if values else Text("", "")
    return Text(f"{decider.text} {said.zh}{note.zh}", f"{decider.text} {said.en}{note.en}")


def _valued(named: Named) -> Text:
    label, value = named.label or Text(named.name, named.name), _shown(named)
    return Text(f"{label.zh} = {value.zh}", f"{label.en} = {value.en}")


def _shown(named: Named) -> Text:
    value = named.value
    if value is None:
        return Text("?", "?")
    if named.word is not None:
        return named.word
    if isinstance(value, bool):
        return Text("真", "true") if value else Text("假", "false")
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = f"{text} {named.unit}".rstrip()
    return Text(text, text)


def _out_of_range(points: object) -> Text:
    """What a comparison of the list of points outside their range with an empty one comes to."""
    if points is None:
        return Text("无法判断测点是否超出物理范围", "it cannot be told whether points are outside their physical range")
    if not points:
        return Text("没有测点超出物理范围", "no point is outside its physical range")
    return Text(f"超出物理范围的测点：{points}", f"points outside their physical range: {points}")
