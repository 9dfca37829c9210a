"""Words that stand in more than one dashboard."""

from __future__ import annotations

from gateway.model import Text

LANGUAGES = ("zh", "en")

NO_DATA = Text("无数据", "No data")
NONE = Text("无", "None")
FINE = Text("没有", "Nothing")

CITY = Text("市", "City")
COUNTY = Text("县区", "County")
TOWN = Text("乡镇", "Town")
SITE = Text("站点", "Site")
NAME = Text("名称", "Name")
DEVICE = Text("设备", "Device")
KIND = Text("类别", "Kind")
STATE = Text("状态", "State")
SCORE = Text("评分", "Score")
ALARM = Text("告警", "Alarm")
RULE = Text("规则", "Rule")
LEVEL = Text("级别", "Priority")
WHEN = Text("时间", "Time")
HEARD = Text("最近上报", "Last heard")
REASONS = (Text("原因一", "Reason 1"), Text("原因二", "Reason 2"), Text("原因三", "Reason 3"))
