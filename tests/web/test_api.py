"""The JSON: whole, strict, cached, and read-only; and the headers of every answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math

import pytest
from starlette.testclient import TestClient

from cleanhub.web.app import CONTENT_SECURITY_POLICY, LOCAL_NAMES, create_app
from cleanhub.web.frames import as_json
from cleanhub.web.payload import Cache, answer, pack
from cleanhub.web.view import PlanView

EVERY = (
    *(
        "/",
        "/map",
        "/projects",
        "/projects/P1",
        "/data",
        "/data/links",
        "/data/links.csv",
        "/data/sources",
        "/words",
    ),
    *("/style.css", "/favicon.svg", "/static/map.js", "/map/sites.geojson", "/api/plan", "/api/tables"),
    *("/api/tables/links", "/api/projects/P1", "/nothing", "/api/nothing"),
)


def test_the_plan_in_short(client: TestClient, view: PlanView) -> None:
    data = client.get("/api/plan").json()
    assert data["id"] == view.plan.id
    assert data["hub"] == {"name": "valley", "title": "Green & Pleasant Valley", "at_hand": True}
    assert data["tables"]["links"] == 2
    assert data["pending"] == {"corridors": "shipping"}
    assert data["as_of"] == "2026-01-01"


def test_tables_are_declared(client: TestClient) -> None:
    data = client.get("/api/tables").json()
    gates = next(one for one in data["tables"] if one["name"] == "gates")
    assert gates["rows"] == 2
    assert {"name": "p_pass", "kind": "number", "unit": "1"}.items() <= gates["columns"][6].items()
    assert "offtake" in data["not_in_this_plan"]


def test_rows_of_a_table(client: TestClient) -> None:
    data = client.get("/api/tables/emissions").json()
    assert data["rows_in_all"] == len(data["rows"]) == 9
    one = client.get("/api/tables/emissions?year=2024").json()
    assert [row["value"] for row in one["rows"]] == [7.8e5]
    few = client.get("/api/tables/emissions?limit=2").json()
    assert (few["rows_in_all"], len(few["rows"])) == (9, 2)
    assert few["rows"] == data["rows"][:2]
    assert client.get("/api/tables/emissions?year=1999").json()["rows"] == []
    done = next(r for r in client.get("/api/tables/gates").json()["rows"] if r["status"] == "done")
    assert done["p10"] is None


def test_a_project_with_all_that_is_said_of_it(client: TestClient, nasty: str) -> None:
    data = client.get("/api/projects/P1").json()
    assert data["project"]["name"] == nasty
    assert [row["gate"] for row in data["gates"]] == ["offtake", "permit"]
    assert {row["link_id"] for row in data["links"]} == {"gate-P1-offtake", "store"}
    assert len(data["policy_answers"]) == 4
    assert [row["link_id"] for row in client.get("/api/projects/P2").json()["links"]] == ["store"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("year=2030.5", {"query.year"}),
        ("year=true", {"query.year"}),
        ("year=1800&limit=0", {"query.year", "query.limit"}),
        ("limit=-1", {"query.limit"}),
        ("limit=1e9", {"query.limit"}),
        ("limit=NaN", {"query.limit"}),
        ("years=2030", {"query.years"}),
        ("year=%00", {"query.year"}),
    ],
)
def test_a_faulty_query_is_refused_with_the_path_of_the_field(
    client: TestClient, query: str, fields: set[str]
) -> None:
    found = client.get(f"/api/tables/emissions?{query}")
    assert found.status_code == 422
    assert {fault["field"] for fault in found.json()["faults"]} == fields
    assert all(fault["what"] for fault in found.json()["faults"])


def test_queries_where_none_belong_are_refused(client: TestClient) -> None:
    for path in ("/api/plan", "/api/tables", "/api/projects/P1"):
        assert client.get(f"{path}?year=2030").status_code == 422
    found = client.get("/api/tables/gates?year=2030")
    assert found.status_code == 422
    assert found.json()["faults"][0]["field"] == "query.year"


@pytest.mark.parametrize("path", ["/api/projects/P9", "/api/tables/nothing", "/api/tables/offtake", "/api/"])
def test_what_is_not_there_is_404_in_json(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.status_code == 404
    assert found.json()["error"]
    assert found.json()["faults"] == []


@pytest.mark.parametrize(
    "path", ["/nothing", "/projects/P9", "/data/nothing", "/data/nothing.csv", "/projects/"]
)
def test_what_is_not_there_is_a_page_that_looks_like_the_others(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.status_code == 404
    assert "<h1>Not found</h1>" in found.text
    assert 'href="/style.css"' in found.text


def test_a_pending_table_is_named_as_such(client: TestClient) -> None:
    assert "not yet in cleanhub (shipping)" in client.get("/api/tables/corridors").json()["error"]
    assert "not yet in cleanhub (shipping)" in client.get("/data/corridors").text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/....//app.py",
        "/static/build.json%00.js",
        "/data/..%2f..%2fplan.json",
        "/data/../plan.json.csv",
        "/map/..%2f..%2fplan.geojson",
        "/projects/..%2f..%2fplan.json",
        "//etc/passwd",
        "/static/%5c..%5capp.py",
    ],
)
def test_no_path_leads_out(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.status_code == 404
    assert "import" not in found.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client: TestClient, method: str) -> None:
    for path in ("/", "/projects/P1", "/api/plan", "/api/tables/links", "/static/map.js"):
        assert client.request(method, path).status_code == 405


@pytest.mark.parametrize("path", EVERY)
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    found = client.get(path)
    assert found.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["referrer-policy"] == "no-referrer"
    assert "script-src 'self';" in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert client.head(path).status_code == found.status_code


@pytest.mark.parametrize("path", [path for path in EVERY if "nothing" not in path])
def test_what_a_reader_has_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert client.get(path, headers={"If-None-Match": f'"other", W/{tag}'}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_compressed_only_for_those_who_take_it(client: TestClient) -> None:
    plain = client.get("/map/counties.geojson", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    bare = client.get("/", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in bare.headers
    assert bare.content == page.content
    assert bare.headers["etag"] != page.headers["etag"]


def test_counties_are_the_hubs_own_file(client: TestClient, view: PlanView) -> None:
    assert view.hub is not None
    assert client.get("/map/counties.geojson").content == (view.hub.path / "counties.geojson").read_bytes()


def test_the_map_has_every_place_and_no_other(client: TestClient, nasty: str) -> None:
    found = {
        layer: client.get(f"/map/{layer}.geojson").json()["features"]
        for layer in ("sites", "projects", "chargers")
    }
    assert {layer: len(features) for layer, features in found.items()} == {
        "sites": 1, "projects": 2, "chargers": 1,
    }  # fmt: skip
    first = found["projects"][0]
    assert first["geometry"]["coordinates"] == [0.6, 0.4]
    assert first["properties"]["name"] == nasty
    assert first["properties"]["page"] == "/projects/P1"
    assert client.get("/map/roads.geojson").status_code == 404


def test_csv_holds_all_and_no_formula(client: TestClient, view: PlanView) -> None:
    found = client.get("/data/emissions.csv")
    assert found.headers["content-disposition"] == 'attachment; filename="emissions.csv"'
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert [float(row["value"]) for row in rows] == list(view.plan.tables["emissions"]["value"])
    assert rows[0]["hub_scope"] == "True"


def test_a_cell_that_begins_like_a_formula_is_made_harmless(view: PlanView) -> None:
    from cleanhub.hub.plan_tables import PLAN_TABLES
    from cleanhub.web.frames import as_csv

    frame = view.plan.tables["projects"].copy()
    for bad in ("=1+1", "+1", "-1", "@x", "\tx"):
        frame["name"] = bad
        cells = [
            row["name"]
            for row in csv.DictReader(io.StringIO(as_csv(frame, PLAN_TABLES["projects"]).decode()))
        ]
        assert cells == [f"'{bad}"] * len(frame)
    frame["fid_p50"] = -1.5
    text = as_csv(frame, PLAN_TABLES["projects"]).decode()
    assert ",-1.5," in text, "numbers keep their sign"


def test_a_foreign_name_is_refused(view: PlanView) -> None:
    app = create_app(view)
    for host in ("http://evil.example", "http://127.0.0.1.evil.example", "http://10.0.0.7:8050"):
        found = TestClient(app, base_url=host).get("/api/plan")
        assert found.status_code == 400
        assert found.headers["content-security-policy"]
    for name in LOCAL_NAMES:
        assert TestClient(app, base_url=f"http://{name}:8050").get("/api/plan").status_code == 200


def test_no_page_of_the_framework_that_fetches_from_elsewhere(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    paths = client.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {"/api/plan", "/api/tables", "/api/tables/{name}", "/api/projects/{project}"}


def test_no_infinity_slips_into_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        as_json({"a": math.inf})


def test_equal_bodies_have_equal_tags_and_bytes() -> None:
    one, two = pack("x" * 5000, "text/plain"), pack("x" * 5000, "text/plain")
    assert one == two
    assert one.packed is not None
    assert gzip.decompress(one.packed) == one.body
    assert pack("short", "text/plain").packed is None
    assert pack("other", "text/plain").tag != pack("short", "text/plain").tag


def test_the_cache_keeps_within_its_bounds() -> None:
    cache = Cache(limit=10_000)
    made: list[str] = []

    def ask(key: str) -> None:
        def make() -> object:
            made.append(key)
            return pack(bytes(range(256)) * 15, "x/y")

        cache.get(key, make)  # type: ignore[arg-type]

    for key in ("a", "b", "a", "a"):
        ask(key)
    assert made == ["a", "b"]
    for key in "cdefghijklmnop":
        ask(key)
    ask("p")
    assert made.count("p") == 1
    ask("a")
    assert made.count("a") == 2, "the oldest went first"


def test_a_status_other_than_200_is_never_304() -> None:
    from starlette.requests import Request

    request = Request({"type": "http", "headers": [(b"if-none-match", b"*")], "method": "GET"})
    assert answer(request, pack("x", "text/plain"), 404).status_code == 404
    assert answer(request, pack("x", "text/plain")).status_code == 304


def test_pages_are_the_same_for_every_server(view: PlanView, client: TestClient) -> None:
    other = TestClient(create_app(view), base_url="http://127.0.0.1")
    for path in EVERY:
        assert other.get(path).content == client.get(path).content
    assert json.loads(other.get("/api/plan").content)
