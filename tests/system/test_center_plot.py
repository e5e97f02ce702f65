# SPDX-License-Identifier: MIT
"""dispatch-center: the plan of a site and where on it assets are, over the API and on the page."""
import pytest

from center import Center
from test_center_api import PNG, upload


@pytest.fixture
def center(world):
    world.ctl("customer", "add", "1001", "--name", "Maple Bakery", "--city", "Denver", "--timezone", "UTC")
    center = Center(world)
    for name, role in (("sam", "clerk"), ("rita", "reader")):
        center.add(name, role)
    return center.start()


@pytest.fixture
def sam(center):
    return center.log_in("sam")


def picture(who, name, number="1001"):
    return upload(who, f"/api/v1/customers/{number}/pictures", [(f"{name}.png", PNG)], description=name).json["id"]


def change(who, path, values, version=None):
    version = who.get(f"/api/v1{path}").json["version"] if version is None else version
    return who.send("PATCH", f"/api/v1{path}", values, {"If-Match": str(version)})


def asset(who, number="1001", **fields):
    answer = who.send("POST", f"/api/v1/customers/{number}/assets", {"kind": "bin", **fields})
    assert answer.status == 201, answer.text
    return answer.json["id"]


# ---- the API

def test_one_picture_is_the_plan(center, sam):
    first, second = picture(sam, "yard"), picture(sam, "roof")
    assert [sam.get(f"/api/v1/pictures/{one}").json["plan"] for one in (first, second)] == [False, False]
    assert change(sam, f"/pictures/{first}", {"plan": True}).json["plan"] is True
    assert change(sam, f"/pictures/{second}", {"plan": True}).json["plan"] is True
    assert sam.get(f"/api/v1/pictures/{first}").json["plan"] is False
    last = sam.get(f"/api/v1/pictures/{first}/history").json["history"][-1]
    assert (last["user"], last["before"], last["after"]) == ("sam", {"plan": True}, {"plan": False})
    world = center.world
    world.ctl("picture", "set", str(first), "--plan", "yes")
    assert {row["id"]: row["plan"] for row in world.ctl_json("picture", "list", "1001")} == {first: True, second: False}
    assert change(sam, f"/pictures/{first}", {"plan": "perhaps"}).status == 422


def test_an_assets_place_on_the_plan(center, sam):
    path = f"/assets/{asset(sam)}"
    placed = change(sam, path, {"plan_x": 0.1, "plan_y": "0.75"})
    assert placed.status == 200 and [float(placed.json[name]) for name in ("plan_x", "plan_y")] == [0.1, 0.75]
    assert change(sam, path, {"latitude": 39.7392, "longitude": -104.9903}).status == 200
    for wrong, field in (({"plan_x": 1.01, "plan_y": 0}, "plan_x"), ({"plan_x": None}, "plan_x"),
                         ({"plan_x": 0.2, "plan_y": "-1"}, "plan_y"), ({"plan_y": ""}, "plan_y")):
        refused = change(sam, path, wrong)
        assert refused.status == 422 and [row["field"] for row in refused.json["errors"]] == [field], refused.text
    assert change(sam, path, {"plan_x": None, "plan_y": None}).json["plan_x"] is None
    other = asset(sam, plan_x="0.5", plan_y="1")
    assert center.world.ctl_json("asset", "show", str(other))["plan_y"] == "1"


def test_plans_and_places_are_exported_and_imported(center, sam):
    ctl, one = center.world.ctl, str(asset(sam, serial="B-1", plan_x="0.5", plan_y="1"))
    path = center.world.path("assets.csv")
    ctl("asset", "export", path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert ",0.5,1," in text and {"plan_x", "plan_y"} <= set(text.splitlines()[0].split(","))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(",0.5,1,", ",0.25,0,"))
    ctl("asset", "import", path)
    shown = center.world.ctl_json("asset", "show", one)
    assert (shown["plan_x"], shown["plan_y"]) == ("0.25", "0")


def test_two_people_place_one_asset(sam):
    path = f"/assets/{asset(sam, plan_x='0.1', plan_y='0.1')}"
    seen = sam.get(f"/api/v1{path}").json["version"]
    assert change(sam, path, {"plan_x": 0.2, "plan_y": 0.1}, seen).status == 200
    conflict = change(sam, path, {"plan_x": 0.3, "plan_y": 0.1}, seen)
    assert conflict.status == 409
    assert conflict.json["fields"] == {"plan_x": {"was": "0.1", "yours": 0.3, "theirs": "0.2"}}


def test_a_reader_places_nothing(center, sam):
    one, yard = asset(sam), picture(sam, "yard")
    rita = center.log_in("rita")
    assert change(rita, f"/assets/{one}", {"plan_x": 0, "plan_y": 0}).status == 403
    assert change(rita, f"/pictures/{yard}", {"plan": True}).status == 403


def test_the_api_says_what_they_are(sam):
    schemas = sam.get("/api/v1/openapi.json").json["components"]["schemas"]
    assert schemas["picture"]["properties"]["plan"]["type"] == "boolean"
    assert "plan" not in schemas["document"]["properties"]
    assert schemas["asset"]["properties"]["plan_x"]["type"] == ["string", "null"]
    assert schemas["asset"]["properties"]["latitude"]["type"] == ["string", "null"]
