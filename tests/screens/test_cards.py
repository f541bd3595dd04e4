"""The cards of who serves, the page of an enterprise and of one case, and the wall's funnel."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.screens.reception import Office, ago, member, offer, request

PARTS = [{"name": "knows", "points": 40}, {"name": "load", "points": -6}]
PASSED = [{"id": "c.x-2", "reason": "conflict"}]
SIZES = ((1920, 1080), (1366, 768), (390, 844))
PAGES = ("/desk/s-1", "/cards/c.x-1", "/enterprise/ent-1", "/request/c.r-1")


@pytest.fixture
def url(served: tuple[str, Office]) -> str:
    return served[0]


def agreed(assignment: str, state: str) -> dict[str, Any]:
    return offer(assignment, outcome="committed", state=state, members=[member(answer="accepted")])


def moved(state: str, of: str = "c.r-1", **span: float) -> dict[str, Any]:
    what = {"type": "request.moved", "request_id": of, "state": state, "cause": "queued"}
    return {"at": ago(**span), **what}


def test_an_offer_says_when_where_with_whom_and_why_and_not_who_was_passed_over(
    page: Page, url: str, office: Office
) -> None:
    device = member("c.q-1", kind="equipment", label="拉力机", answer="accepted")
    own = member(start="2026-11-23T09:00:00+08:00", end="2026-11-23T10:30:00+08:00")
    told = {"parts": PARTS, "score": 34, "passed": PASSED, "members": [own, device]}
    office.tell(offers=(offer("c.a-1", enterprise_name="一号厂", **told),))
    page.goto(f"{url}/cards/c.x-1")
    card = page.locator("#asked .row")
    expect(card.locator(".title")).to_have_text("一号厂")
    expect(card.locator("dd.when")).to_have_text("11月23日周一 09:00–10:30")
    expect(card.locator("dd.with")).to_have_text("拉力机")
    expect(card.locator(".part-name")).to_have_text(["熟悉这家企业", "手头不忙"])
    expect(card.locator(".left")).to_have_text("还剩 1 小时 39 分")
    assert "c.x-2" not in page.content()


def test_accepting_posts_to_the_offer_in_the_name_of_the_resource(
    page: Page, url: str, office: Office
) -> None:
    office.tell(offers=(offer("c.a-1"),))
    page.goto(f"{url}/cards/c.x-1")
    page.get_by_role("button", name="接受").click()
    expect(page.locator(".row .told")).to_be_empty()
    office.tell(offers=(agreed("c.a-1", "committed"),))
    expect(page.locator("#agreed .row .chip")).to_have_text("已派定")
    path, _, body = office.heard[0]
    del body["occurred_at"]
    assert path == "offers/c.a-1/accept"
    assert body == {
        "node_id": "s-1", "resource": "c.x-1", "actor_role": "expert", "actor_ref": "card"
    }  # fmt: skip


def test_declining_takes_a_reason(page: Page, url: str, office: Office) -> None:
    office.tell(offers=(offer("c.a-1"),))
    page.goto(f"{url}/cards/c.x-1")
    page.get_by_role("button", name="谢绝").click()
    page.get_by_role("button", name="确定").click()
    assert not office.heard
    page.locator(".row [name=reason]").fill("那天出差")
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".row form")).to_have_count(0)
    path, _, body = office.heard[0]
    assert (path, body["reason"]) == ("offers/c.a-1/decline", "那天出差")


def test_a_result_is_recorded_at_the_request(page: Page, url: str, office: Office) -> None:
    office.tell(offers=(agreed("c.a-1", "in_service"),))
    page.goto(f"{url}/cards/c.x-1")
    page.get_by_role("button", name="登记结果").click()
    page.get_by_label("报告").check()
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".row form")).to_have_count(0)
    path, _, body = office.heard[0]
    assert (path, body["outputs"], body["resource"]) == (
        "requests/c.r-1/result", ["report"], "c.x-1"
    )  # fmt: skip


def test_work_that_was_referred_is_told_of_at_the_request_it_stands_for(
    page: Page, url: str, office: Office
) -> None:
    office.tell(
        request("c.r-1", "in_service", node="s-9"),
        offers=(agreed("d.a-1", "committed") | {"request_id": "c.r-1.1"},),
    )
    page.goto(f"{url}/cards/c.x-1")
    expect(page.locator("#agreed .chip")).to_have_text("服务中")
    page.get_by_role("button", name="受阻").click()
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".row form")).to_have_count(0)
    path, _, body = office.heard[0]
    assert (path, body["node_id"]) == ("requests/c.r-1/block", "s-9")


@pytest.mark.parametrize(
    ("state", "buttons"),
    [("committed", ["开始服务", "退出"]), ("blocked", ["继续"]), ("resulted", [])],
)
def test_a_card_offers_what_is_legal_for_who_serves(
    page: Page, url: str, office: Office, state: str, buttons: list[str]
) -> None:
    office.tell(offers=(agreed("c.a-1", state),))
    page.goto(f"{url}/cards/c.x-1")
    expect(page.locator("#agreed .row")).to_have_count(1)
    expect(page.locator(".row button")).to_have_text(buttons)


def test_who_has_accepted_may_only_step_back_until_the_others_answer(
    page: Page, url: str, office: Office
) -> None:
    members = [member(answer="accepted"), member("c.x-2")]
    office.tell(offers=(offer("c.a-1", members=members),))
    page.goto(f"{url}/cards/c.x-1")
    expect(page.locator("#agreed .chip")).to_have_text("等其他成员答复")
    expect(page.locator(".row button")).to_have_text(["退出"])


def test_an_expired_offer_says_so_as_time_passes(page: Page, url: str, office: Office) -> None:
    office.tell(offers=(offer("c.a-1", expires_at=ago(seconds=-4)),))
    page.goto(f"{url}/cards/c.x-1")
    expect(page.locator(".left")).to_have_text("已过期", timeout=8_000)


def test_an_enterprise_sees_where_its_request_is_and_who_comes_when(
    page: Page, url: str, office: Office
) -> None:
    own = member(
        label="标准专家", start="2026-11-23T09:00:00+08:00", end="2026-11-23T10:30:00+08:00"
    )
    timeline = [
        moved("submitted", hours=3),
        moved("accepted", hours=2),
        moved("committed", hours=1),
    ]
    office.tell(
        request("c.r-1", "committed", assignment="c.a-1", timeline=timeline,
                offer=offer("c.a-1", members=[own], passed=PASSED)),
    )  # fmt: skip
    page.goto(f"{url}/enterprise/ent-1")
    row = page.locator("#open .row")
    expect(row.locator("[data-at=done] .step-name")).to_have_text(["提交", "受理", "找人"])
    expect(row.locator("[aria-current=step] .step-name")).to_have_text("已派定")
    expect(row.locator(".row-what")).to_contain_text("标准专家，11月23日周一 09:00–10:30")
    expect(row.get_by_role("button")).to_have_text(["取消"])
    assert "c.x-2" not in page.content()


def test_an_enterprise_confirms_and_scores(page: Page, url: str, office: Office) -> None:
    office.tell(request("c.r-1", "resulted"))
    page.goto(f"{url}/enterprise/ent-1")
    page.get_by_role("button", name="确认结果").click()
    expect(page.locator(".row .told")).to_be_empty()
    office.tell(request("c.r-1", "confirmed"))
    page.get_by_role("button", name="评分").click()
    page.get_by_label("4", exact=True).check()
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".row form")).to_have_count(0)
    asked = [(path, body["actor_role"], body.get("score")) for path, _, body in office.heard]
    assert asked == [
        ("requests/c.r-1/confirm", "enterprise", None),
        ("requests/c.r-1/evaluate", "enterprise", 4),
    ]


def test_one_case_shows_its_story_why_nobody_and_why_who(
    page: Page, url: str, office: Office
) -> None:
    unmatched = {"reasons": ["conflict"], "passed": PASSED, "relaxation": [], "would_fit": []}
    refused = {
        "at": ago(minutes=5),
        "type": "request.refused",
        "asked": "request.closed",
        "cause": "role",
    }
    office.tell(
        request("c.r-1", "unmatched", enterprise_name="一号厂", unmatched=unmatched,
                timeline=[moved("matching", hours=1), refused],
                offer=offer("c.a-1", outcome="declined", parts=PARTS, reason="没空")),
    )  # fmt: skip
    page.goto(f"{url}/request/c.r-1?lang=en")
    expect(page.locator("#name")).to_have_text("一号厂")
    expect(page.locator("#nobody .row-why")).to_have_text("conflict of interest")
    expect(page.locator("#nobody li")).to_have_text("c.x-2 conflict of interest")
    expect(page.locator("#offer .chip")).to_have_text("declined")
    expect(page.locator("#story li")).to_contain_text(
        ["refused: Close: This role may not", "looking for someone matching"]
    )


def test_what_becomes_of_a_referral_at_the_next_tier_is_not_told_as_the_requests_own_state(
    page: Page, url: str, office: Office
) -> None:
    timeline = [
        moved("submitted", hours=3),
        moved("escalated", hours=2),
        moved("unmatched", hours=1),
        moved("closed", of="d.r-1.1", minutes=30),
    ]
    office.tell(request("c.r-1", "unmatched", timeline=timeline))
    page.goto(f"{url}/request/c.r-1")
    expect(page.locator("#story li")).to_have_count(4)
    expect(page.locator("#story .chip")).to_have_text(["暂无人可派", "上级协调", "已提交"])
    expect(page.locator("#story li").first).to_contain_text("在上级")
    expect(page.locator(".life .step").last.locator(".step-time")).to_be_empty()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["", "?lang=en"])
def test_nothing_sticks_out_of_any_screen(  # noqa: PLR0917  # fixtures and sizes
    page: Page, url: str, office: Office, size: tuple[int, int], path: str, lang: str
) -> None:
    long = {"about": "漆" * 60 + "x" * 90, "elements": ["STD", "IPR", "SES", "QM"], "urgent": True}
    office.tell(
        request("c.r-1", "unmatched", enterprise_name="孝" * 40, demand=long, reasons=["conflict"],
                timeline=[moved("submitted", hours=3)], offer=offer("c.a-1", parts=PARTS)),
        offers=(offer("c.a-1", about="x" * 200, enterprise_name="孝" * 40, parts=PARTS),),
    )  # fmt: skip
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(url + path + lang)
    expect(page.locator(".chip").first).not_to_be_empty()
    for button in page.locator(".actions [aria-expanded]").all()[:1]:
        button.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_wall_says_what_is_stuck_and_why(page: Page, url: str, office: Office) -> None:
    funnel = [{"state": "matching", "count": 3}, {"state": "unmatched", "count": 12}]
    stuck = [{"reason": "conflict", "count": 2, "oldest": ago(hours=5)}]
    office.wall = {
        "stations": {"s-1": {"name": "一站", "today": 0, "silent": False}},
        "requests": {"funnel": funnel, "open": 15, "waiting": 12, "late": 1, "stuck": stuck,
                     "unmet": 0, "escalated": 0, "offers": {}, "first_response_minutes": 12.4},
    }  # fmt: skip
    page.goto(url)
    region = page.locator("#stuck")
    expect(region.locator(".stage")).to_have_text(["匹配中3", "暂无人可派12"])
    expect(region.locator("#why li")).to_have_text("存在利益冲突2 单 · 最久 5 小时")
    expect(page.locator("#stuck-told")).to_have_text("办理中 15 · 逾期 1 · 首次响应 12 分钟")


def test_a_wall_without_requests_has_no_region_for_them(
    page: Page, url: str, office: Office
) -> None:
    office.wall = {"stations": {"s-1": {"name": "一站", "today": 0, "silent": False}}}
    page.goto(url)
    expect(page.locator(".wall")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#stuck")).to_be_hidden()
