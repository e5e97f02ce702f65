# SPDX-License-Identifier: MIT
"""dispatch-center: the plan of a site and where on it assets are, over the API and on the page."""
import os
import re

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


def test_the_api_describes_them(sam):
    schemas = sam.get("/api/v1/openapi.json").json["components"]["schemas"]
    assert schemas["picture"]["properties"]["plan"]["type"] == "boolean"
    assert "plan" not in schemas["document"]["properties"]
    assert schemas["asset"]["properties"]["plan_x"]["type"] == ["string", "null"]
    assert schemas["asset"]["properties"]["latitude"]["type"] == ["string", "null"]


# ---- the page

def place(sam, asset_id, version="", **fields):
    return sam.submit("/customers/1001/plot/place", {"asset": asset_id, "version": version, **fields})


def shown(sam, asset_id):
    row = sam.get(f"/api/v1/assets/{asset_id}").json
    return row["plan_x"], row["plan_y"]


def test_a_plan_is_chosen_and_assets_are_placed_by_forms(sam):
    one, yard, roof = asset(sam, serial="B-7"), picture(sam, "yard"), picture(sam, "roof")
    assert "There is no plan" in sam.get("/customers/1001/plot").text
    for chosen in (yard, roof, roof):
        assert sam.submit("/customers/1001/plot/plan", {"picture": chosen}).status == 303
        assert f'<img src="/api/v1/pictures/{chosen}/content"' in sam.get("/customers/1001/plot").text
    assert "not placed yet" in sam.get("/customers/1001/plot").text
    answer = place(sam, one, x="12.5", y="100")
    assert answer.status == 303 and answer.headers["Location"].endswith("/customers/1001/plot")
    assert shown(sam, one) == ("0.125", "1")
    assert re.search(rf'data-pin="{one}" aria-label="1 bin B-7"><svg x="12.5%" y="100%"', sam.get("/customers/1001/plot").text)
    for wrong in ({"x": "101", "y": "1"}, {"x": "", "y": "1"}, {"x": "nan", "y": "1"}, {"x": "5 %", "y": "1"}, {"x": "1"}, {}):
        refused = place(sam, one, **wrong)
        assert refused.status == 422 and "two numbers from 0 to 100" in refused.text, wrong
    assert place(sam, one, clear="yes", x="1", y="1").status == 303 and shown(sam, one) == (None, None)
    assert sam.submit("/customers/1001/plot/plan", {"picture": ""}).status == 303
    assert "There is no plan" in sam.get("/customers/1001/plot").text


def test_a_click_on_the_plan_places_what_was_picked(sam):
    one, yard = asset(sam), picture(sam, "yard")
    sam.submit("/customers/1001/plot/plan", {"picture": yard})
    page = sam.get(f"/customers/1001/plot?pick={one}").text
    assert f'<input type="image" name="at" src="/api/v1/pictures/{yard}/content"' in page
    assert place(sam, one, **{"at.x": "75", "at.y": "225"}).status == 303
    assert shown(sam, one) == ("0.25", "1")
    assert place(sam, one, **{"at.x": "0", "at.y": "0"}).status == 422
    assert place(sam, one, **{"at.x": "0", "at.y": "45"}).status == 303 and shown(sam, one) == ("0", "0.2")
    for nobody in ("99", "x", ""):
        assert 'type="image"' not in sam.get(f"/customers/1001/plot?pick={nobody}").text


def test_somebody_else_has_moved_it(sam):
    one = asset(sam, plan_x="0.1", plan_y="0.1")
    sam.submit("/customers/1001/plot/plan", {"picture": picture(sam, "yard")})
    seen = re.search(r'data-version="(\d+)"', sam.get("/customers/1001/plot").text).group(1)
    assert place(sam, one, seen, x="20", y="20").status == 303
    late = place(sam, one, seen, x="30", y="30")
    assert late.status == 409 and "Somebody else has changed its place" in late.text
    assert shown(sam, one) == ("0.2", "0.2")


def test_only_what_is_of_the_customer_is_changed_there(center, sam):
    center.world.ctl("customer", "add", "2002", "--name", "Other")
    other, roof = asset(sam, "2002"), picture(sam, "roof", "2002")
    assert place(sam, other, x="1", y="1").status == 404 and shown(sam, other) == (None, None)
    assert place(sam, "x", x="1", y="1").status in (404, 422)
    assert sam.submit("/customers/1001/plot/plan", {"picture": roof}).status == 404
    assert sam.get(f"/api/v1/pictures/{roof}").json["plan"] is False
    assert sam.get("/customers/nobody/plot").status == 404


def test_without_a_plan_coordinates_are_on_a_plain_plot(sam):
    asset(sam, serial="W", latitude="39.5", longitude="-104.99")
    asset(sam, serial="E", latitude="39.501", longitude="-104.988")
    bare = asset(sam, serial="Z")
    page = sam.get("/customers/1001/plot").text
    pins = [(float(x), float(y)) for x, y in re.findall(r'class="pin"[^>]*><svg x="([\d.]+)%" y="([\d.]+)%"', page)]
    (east, high), (west, low) = pins  # by serial number
    assert west < 50 < east and high < 50 < low and abs(east + west - 100) < 0.1
    assert "not placed yet" in page and ">50 m<" in page and ">200 ft<" in page and ">N<" in page
    # The scale is that of the sphere: 0.002 degrees of longitude are 171.6 m there.
    bar = re.search(r'<line x1="3%" y1="93%" x2="([\d.]+)%"', page).group(1)
    assert abs((east - west) / (float(bar) - 3) * 50 - 171.6) < 1
    assert place(sam, bare, latitude="39.5005", longitude="-104.989").status == 303
    assert len(re.findall(r'class="pin"', sam.get("/customers/1001/plot").text)) == 3
    assert place(sam, bare, latitude="north", longitude="0").status == 422


def test_a_reader_sees_it_without_forms(center, sam):
    one = asset(sam, plan_x="0.5", plan_y="0.5")
    sam.submit("/customers/1001/plot/plan", {"picture": picture(sam, "yard")})
    center.world.ctl("suspend", "1001", "--note", "strike")
    rita = center.log_in("rita")
    page = rita.get(f"/customers/1001/plot?pick={one}").text
    assert "50 % from the left, 50 % from the top" in page and "<img src=" in page and 'class="suspended' in page
    assert 'action="/customers' not in page and "data-plan" not in page and 'type="image"' not in page
    assert place(rita, one, x="1", y="1").status == 403
    assert rita.submit("/customers/1001/plot/plan", {"picture": ""}).status == 403
    assert shown(sam, one) == ("0.5", "0.5")


def test_names_are_never_more_than_text(center, sam):
    evil = "\"><script>alert(1)</script> {{token}} '"
    center.world.ctl("customer", "add", "A/1 ?", "--name", evil)
    asset(sam, "A%2F1%20%3F", kind=evil, serial=evil, position=evil, plan_x="0.5", plan_y="0.5")
    yard = picture(sam, "yard", "A%2F1%20%3F")
    assert change(sam, f"/pictures/{yard}", {"plan": True, "description": evil}).status == 200
    page = sam.get("/customers/A%2F1%20%3F/plot").text
    assert "<script>alert" not in page and "{{token}}" in page and 'action="/customers/A%2F1%20%3F/plot/place"' in page


# ---- a map

def test_tiles_have_to_be_an_address_with_places(center):
    for tiles, fault in (("ftp://tiles.example.com/{z}/{x}/{y}", "expected an address that begins with"),
                         ("https://tiles.example.com/{z}/{x}", "{y} is missing"),
                         ("https:///{z}/{x}/{y}", "there is no host in it"),
                         ("https://a'b;c/{z}/{x}/{y}", "there is no host in it")):
        center.world.configure(center={"tiles": tiles})
        done = center.run("-t", check=False)
        assert done.returncode == 78 and f"[center] tiles: {fault}" in done.stderr, tiles
    center.world.configure(center={"tiles": "https://{s}.tiles.example.com/{z}/{x}/{y}.png"})
    assert center.run("-t").returncode == 0


@pytest.mark.skipif(not os.path.exists("/usr/share/javascript/leaflet/leaflet.esm.min.js"), reason="libjs-leaflet isn't installed")
def test_the_page_lets_tiles_in_and_nothing_else(world, center):
    center.stop()
    world.configure(center={"tiles": "https://{s}.tiles.example.com/{z}/{x}/{y}.png", "tiles_note": "<The & Survey>"})
    center.start()
    sam = center.log_in("sam")
    asset(sam, latitude="39.7", longitude="-104.9")
    answer = sam.get("/customers/1001/plot")
    assert "img-src 'self' blob: https://*.tiles.example.com;" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert 'data-note="&lt;The &amp; Survey&gt;"' in answer.text and 'class="plan ground"' in answer.text
    assert "tiles.example.com" not in sam.get("/customers/1001/notes").headers["Content-Security-Policy"]
    for name, kind in (("leaflet.esm.min.js", "text/javascript"), ("leaflet.css", "text/css")):
        file = sam.get(f"/leaflet/{name}")
        assert file.status == 200 and file.headers["Content-Type"].startswith(kind) and len(file.body) > 9000
    assert sam.get("/leaflet/leaflet.js").status == 404 and sam.get("/leaflet/..%2Fleaflet.css").status == 404
    change(sam, f"/pictures/{picture(sam, 'yard')}", {"plan": True})
    assert "data-tiles" not in sam.get("/customers/1001/plot").text
