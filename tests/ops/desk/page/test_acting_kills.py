"""Actions from the page: what is said before, who may, what is refused, what becomes of it."""

from __future__ import annotations

import pytest

from hftlib.core.audit import read_audit


def filled(page, why, code):
    page.fill("#ask [name=why]", why)
    page.fill("#ask [name=code]", code)


def state_of(stage, scope, name="taker"):
    return next(one["state"] for one in stage.status(name)["scopes"] if one["scope"] == scope)


@pytest.fixture
def bob(stage, opened):
    page = opened()
    stage.enter(page, "bob")
    page.keyboard.press("2")
    page.wait_for_selector("#strip .hft-name:has-text('taker')")
    return page


def test_a_role_is_offered_what_it_may_and_refused_the_rest(stage, opened, bob):
    assert bob.locator("#acts button").all_text_contents() == ["Pause", "Reduce", "Flatten", "Kill"]
    looks = opened()
    stage.enter(looks, "cyd")
    assert looks.locator("#acts button").count() == 0
    assert "does not act" in looks.text_content("#acts")
    told = looks.evaluate(
        """async () => {
            const { ask } = await import('/static/talking.js');
            const body = { runner: 'taker', do: 'halt', scope: 'firm', why: 'a try', code: '1' };
            return ask('api/act', body).catch((error) => [error.code, error.sentence]);
        }"""
    )
    assert told[0] == 403 and "researcher may not halt" in told[1]
    assert state_of(stage, "firm") == "active"


def test_a_pause_says_what_it_will_do_and_does_it_and_a_used_code_is_refused(stage, bob, picture):
    bob.click("#panel-risk tr:has-text('instrument:AAA') button:has-text('Pause')")
    will = bob.text_content("#ask .will")
    assert will.startswith("No new order leaves taker/instrument:AAA; ")
    assert "cancelled" in will
    assert bob.text_content("#ask .mode-tag") == "PAPER"
    code = stage.code("bob")
    filled(bob, "odd fills in AAA", code)
    bob.click("#ask [name=go]")
    bob.wait_for_selector("#ask .done:has-text('Done: pause instrument:AAA')")
    assert " ms" in bob.text_content("#ask .done")
    assert state_of(stage, "instrument:AAA") == "halted"
    bob.click("#ask button:has-text('Close')")
    bob.wait_for_selector("#panel-risk tr:has-text('instrument:AAA'):has-text('halted')")
    bob.click("#acts [data-action=reduce]")
    bob.select_option("#ask [name=scope]", "instrument:BBB")
    filled(bob, "the same code again", code)
    bob.click("#ask [name=go]")
    bob.wait_for_selector("#ask .hft-error:not(:empty)")
    assert "code" in bob.text_content("#ask .hft-error")
    picture(bob, "laptop-light-refused")
    assert state_of(stage, "instrument:BBB") == "active"
    bob.fill("#ask [name=code]", "")
    bob.click("#ask [name=go]")
    assert bob.evaluate("document.querySelector('#ask [name=code]').validity.valueMissing")
    bob.keyboard.press("Escape")
    assert bob.is_hidden("#ask")


def test_lifting_the_firm_asks_for_a_second_person(stage, opened):
    ann = opened()
    stage.enter(ann, "ann")
    ann.keyboard.press("2")
    ann.wait_for_selector("#strip .hft-name:has-text('taker')")
    ann.click("#acts [data-action=halt]")
    filled(ann, "before a lift", stage.code("ann"))
    ann.click("#ask [name=go]")
    ann.wait_for_selector("#ask .done:has-text('Done')")
    ann.click("#ask button:has-text('Close')")
    ann.click("#acts [data-action=lift]")
    assert ann.is_visible("#ask fieldset")
    ann.select_option("#ask [name=scope]", "instrument:AAA")
    assert ann.is_hidden("#ask fieldset")
    ann.select_option("#ask [name=scope]", "firm")
    filled(ann, "looked at it", stage.code("ann"))
    ann.fill("#ask [name=second-user]", "dan")
    ann.fill("#ask [name=second-password]", stage.password)
    ann.fill("#ask [name=second-code]", stage.code("dan"))
    ann.click("#ask [name=go]")
    ann.wait_for_selector("#ask .done:has-text('Done: lift firm')")
    assert state_of(stage, "firm") == "active"


def test_a_kill_from_the_page_stops_the_session_and_takes_its_orders_back(stage, bob, picture):
    bob.click("#acts [data-action=kill]")
    filled(bob, "a drill", stage.code("bob"))
    picture(bob, "laptop-light-kill")
    bob.click("#ask [name=go]")  # too short: it must be held
    assert state_of(stage, "firm") == "active"
    bob.hover("#ask [name=go]")
    bob.mouse.down()
    bob.wait_for_selector("#ask .done:has-text('Done: kill firm')")
    bob.mouse.up()
    status = stage.status("taker")
    assert state_of(stage, "firm") == "halted"
    bob.click("#ask button:has-text('Close')")
    bob.wait_for_selector("#strip .hft-now .hft-chip:has-text('halted: 0 orders left')")
    after = stage.status("taker")
    assert after["open_orders"] == 0 and after["is_running"]
    bob.wait_for_timeout(1000)
    later = stage.status("taker")
    assert later["counts"]["commands"] == after["counts"]["commands"], "nothing leaves any more"
    assert later["counts"]["messages"] > status["counts"]["messages"], "though the market goes on"
    assert state_of(stage, "firm", "maker") == "active", "the other one trades on"
    acts = [one for one in read_audit(stage.folder / "audit.log") if one.did == "act"]
    assert any(one.who == "bob" and one.what == "kill firm at taker" for one in acts)
    picture(bob, "laptop-light-killed")


def test_the_plane_that_looks_offers_nothing(stage, opened):
    page = opened()
    page.goto(stage.view)
    page.wait_for_selector("#enter form, #user:has-text('·')")
    assert page.locator("#acts button").count() == 0
