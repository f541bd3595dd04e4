"""A station's desk in a real browser: what it asks, what it is told, and how it is worked."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.screens.reception import KEY, Office, ago, looking, member, request

REASONS = ["no_slot_in_time", "no_industry"]
RELAXED = [
    {"field": "need_by", "to": '"2026-11-27T17:00:00+08:00"', "resource": None},
    {"field": "needs.0.industry", "to": "null", "resource": None},
]
UNMATCHED = {"reasons": REASONS, "passed": [], "relaxation": RELAXED, "would_fit": ["c.x-9"]}


@pytest.fixture
def url(served: tuple[str, Office]) -> str:
    return f"{served[0]}/desk/s-1"


def fill(page: Page) -> None:
    """Fill the form for an enterprise that needs standards by Friday."""
    page.locator("#new [name=enterprise_id]").fill("ent-7")
    page.locator("#new [value=STD]").check()
    page.locator("#new [name=need_by]").fill("2026-11-27T17:00")


def submit(page: Page) -> None:
    page.locator("#new [type=submit]").click()


def test_the_form_posts_the_demand_with_times_of_shanghai(
    page: Page, url: str, office: Office
) -> None:
    page.goto(url)
    fill(page)
    page.locator("#new summary").click()
    page.locator("#new [name=industry]").fill("leather")
    page.locator("#new [name=about]").fill("脚垫裁切毛边")
    submit(page)
    told = page.locator("#new .told")
    expect(told).to_have_text("已收到，编号 c.r-9，现在：已提交。")
    path, key, body = office.heard[0]
    assert (path, len(key)) == ("requests", 32)
    assert body.pop("occurred_at").endswith("Z")
    assert body == {
        "node_id": "s-1", "enterprise_id": "ent-7", "actor_role": "staff", "actor_ref": "desk",
        "demand": {
            "elements": ["STD"], "mode": "diagnosis", "channel": "order", "minutes": 60,
            "urgent": False, "need_by": "2026-11-27T17:00:00+08:00", "about": "脚垫裁切毛边",
            "needs": [{"elements": ["STD"], "industry": "leather"}],
        },
    }  # fmt: skip


def test_the_same_words_are_sent_again_under_the_same_key_and_new_ones_under_another(
    page: Page, url: str, office: Office
) -> None:
    office.failing = 503
    page.goto(url)
    fill(page)
    submit(page)
    told = page.locator("#new .told")
    expect(told).to_have_text("系统正忙，请稍候再试。")
    office.failing = None
    submit(page)
    expect(told).to_contain_text("已收到")
    fill(page)
    submit(page)
    expect(told).to_contain_text("已收到")
    assert office.heard[0] == office.heard[1]
    assert office.heard[2][1] != office.heard[1][1]


def test_a_request_without_elements_is_not_sent(page: Page, url: str, office: Office) -> None:
    page.goto(url)
    page.locator("#new [name=enterprise_id]").fill("ent-7")
    submit(page)
    expect(page.locator("#new .told")).to_have_text("至少选一项要素")
    assert not office.heard


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("", "现在是“受阻”，不能受理；现在可以：继续、取消"),
        (
            "?lang=en",
            "It is “blocked” now, so this cannot be done: Accept; Possible now: Go on, Can",
        ),
    ],
)
def test_a_refusal_says_in_words_why_and_what_is_possible(
    page: Page, url: str, office: Office, lang: str, words: str
) -> None:
    office.tell(request("c.r-1", "submitted"))
    office.verdict = {
        "verdict": "refused", "cause": "state", "detail": "raw", "state": "blocked",
        "legal": ["service.unblocked", "request.cancelled"],
    }  # fmt: skip
    page.goto(url + lang)
    page.locator("[data-ask='request.accepted']").click()
    expect(page.locator(".row .told")).to_contain_text(words)


def test_an_unknown_cause_is_told_by_its_detail(page: Page, url: str, office: Office) -> None:
    office.tell(request("c.r-1", "submitted"))
    office.verdict = {"verdict": "refused", "cause": "of_tomorrow", "detail": "told by tomorrow"}
    page.goto(url)
    page.locator("[data-ask='request.accepted']").click()
    expect(page.locator(".row .told")).to_contain_text("told by tomorrow")


def test_news_moves_a_row_without_a_reload_and_keeps_what_is_typed(
    page: Page, url: str, office: Office
) -> None:
    office.tell(request("c.r-1", "submitted", enterprise_name="一号厂"))
    page.goto(url)
    row = page.locator("#waiting .row")
    expect(row.locator(".chip")).to_have_text("已提交")
    page.evaluate("window.stayed = true")
    row.locator("[data-ask='request.cancelled']").click()
    page.locator(".row [name=reason]").fill("重复")
    office.tell(request("c.r-1", "committed", performers=[member(label="标准专家")]))
    moved = page.locator("#under_way .row")
    expect(moved.locator(".chip")).to_have_text("已派定")
    expect(moved).to_contain_text("由标准专家承接")
    expect(moved.locator("[name=reason]")).to_have_value("重复")
    expect(page.locator("#waiting .row")).to_have_count(0)
    assert page.evaluate("window.stayed")


def test_the_queue_stands_in_three_groups_the_urgent_and_oldest_first(
    page: Page, url: str, office: Office
) -> None:
    office.tell(
        request("c.r-1", "submitted", enterprise_name="甲", since=ago(minutes=9.5)),
        request("c.r-2", "resulted", enterprise_name="乙", since=ago(hours=3)),
        request("c.r-3", "submitted", enterprise_name="丙", demand={"urgent": True}),
        request("c.r-4", "in_service", enterprise_name="丁", late=True),
        request("c.r-5", "matching", enterprise_name="戊"),
    )
    page.goto(url)
    expect(page.locator("#late .title")).to_have_text(["丁"])
    expect(page.locator("#waiting .title")).to_have_text(["丙", "乙", "甲"])
    expect(page.locator("#under_way .title")).to_have_text(["戊"])
    expect(page.locator("#waiting .since").last).to_have_text("已 9 分")


@pytest.mark.parametrize(
    ("lang", "why", "help_"),
    [
        ("", "期限前没有空档、没有人做过这个行业",
         "如果期限放宽到 11/27 17:00，并且不限行业，c.x-9 就能接"),
        ("?lang=en", "no free time before the deadline, nobody knows this industry",
         "c.x-9 could, if until 11/27 17:00 and without industry"),
    ],
)  # fmt: skip
def test_why_nobody_serves_and_what_would_help_stand_in_words(  # noqa: PLR0917  # words, too
    page: Page, url: str, office: Office, lang: str, why: str, help_: str
) -> None:
    office.tell(request("c.r-1", "unmatched", reasons=REASONS, unmatched=UNMATCHED))
    page.goto(url + lang)
    expect(page.locator(".row-why")).to_have_text(why)
    expect(page.locator(".row-help")).to_have_text(help_)


def test_what_only_the_head_may_ask_is_asked_as_the_head(
    page: Page, url: str, office: Office
) -> None:
    office.tell(request("c.r-1", "unmatched", reasons=REASONS, unmatched=UNMATCHED))
    page.goto(url)
    page.get_by_role("button", name="请上级协调（站长）").click()
    page.locator(".row [name=reason]").fill("急需")
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".row form")).to_have_count(0)
    path, _, body = office.heard[0]
    assert path == "requests/c.r-1/escalate"
    assert (body["actor_role"], body["node_id"], body["reason"]) == ("head", "s-1", "急需")


def test_a_referral_of_another_pool_has_no_buttons(page: Page, url: str, office: Office) -> None:
    office.tell(request("c.r-1.1", "matching", kind="referral"))
    page.goto(url)
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row button")).to_have_count(0)


def test_the_desk_is_worked_with_the_keyboard_alone(page: Page, url: str, office: Office) -> None:
    office.tell(request("c.r-1", "in_service"))
    page.goto(url)
    opener = page.locator("[data-ask='service.blocked']")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".row [name=reason]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator(".row form")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".row form")).to_have_count(0)
    path, _, body = office.heard[0]
    assert (path, body["reason"]) == ("requests/c.r-1/block", "equipment_booked")


def test_who_has_no_valid_key_is_asked_for_one_in_words(
    browser: Browser, url: str, office: Office
) -> None:
    office.tell(request("c.r-1", "submitted", enterprise_name="一号厂"))
    with looking(browser, key=None) as page:
        page.goto(url)
        expect(page.locator("#main")).to_be_hidden()
        page.locator("#key input").fill("yz_wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key .told")).to_have_text("这个密钥无效：不存在、已过期或已吊销。")
        page.locator("#key input").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#waiting .title")).to_have_text("一号厂")
        page.reload()
        expect(page.locator("#waiting .title")).to_have_text("一号厂")
        page.locator("#leave").click()
        expect(page.locator("#key")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0


def test_the_desk_of_an_unknown_node_is_a_page_that_says_so(page: Page, url: str) -> None:
    answer = page.goto(url.replace("s-1", "nowhere"))
    assert answer is not None
    assert answer.status == 404


def test_a_desk_says_when_it_is_cut_off_and_that_it_is_back_though_there_is_no_news(
    page: Page, url: str, office: Office
) -> None:
    with page.expect_request(lambda asked: "wait=25" in asked.url):
        page.goto(url)
    page.context.set_offline(True)
    office.tell()
    expect(page.locator("#connection")).to_contain_text("重连中")
    page.context.set_offline(False)
    with page.expect_request(lambda asked: "wait=25" in asked.url, timeout=10_000):
        expect(page.locator("#connection")).to_have_text("实时", timeout=10_000)
