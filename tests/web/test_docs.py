"""The page of LEAT_DOCS in headless Chromium: it shows the document, and a click sends a request and shows the reply.

SCREENSHOTS=folder keeps pictures of it.
"""

import json
import os
import pathlib
import re

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import auth_files
import servers
import test_openapi


class Page:
    """A browser, and the page in it."""

    def __init__(self, folder, url):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,1000",
                         f"--user-data-dir={folder / 'chromium'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=webdriver.chrome.service.Service("/usr/bin/chromedriver"), options=options)
        self.url = url

    def open(self, fragment=""):
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/docs{fragment}")
        return self

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        self.wait_for(lambda: self.all(selector), selector)
        return self.all(selector)[0]

    def wait_for(self, condition, what):
        servers.wait_until(condition, what)

    def operation(self, name):
        """Opened by a click on its line."""
        self.one(f"#{name} > summary").click()
        return Operation(self, name)

    def focused(self):
        return self.driver.switch_to.active_element

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def complaints(self):
        """What the browser says of the page: broken policies, scripts that fail. A reply with a failure is no fault of the page."""
        return [line["message"] for line in self.driver.get_log("browser") if "Failed to load resource" not in line["message"]]

    def look(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))


class Operation:
    def __init__(self, page, name):
        self.page = page
        self.root = f"#{name}"
        page.wait_for(lambda: page.all(f"{self.root} form"), "the operation opens")

    def find(self, selector):
        return self.page.one(f"{self.root} {selector}")

    def fill(self, field, text):
        element = self.find(f"[name={field}]")
        if field in ("query", "headers") and not self.find("form > details").get_attribute("open"):
            self.find("form > details > summary").click()
        element.clear()
        element.send_keys(text)

    def send(self):
        self.find("button[type=submit]").click()

    def status(self):
        return self.find(".reply-status").text

    def wait_status(self, text):
        self.page.wait_for(lambda: self.status().startswith(text), f"a reply with {text}")

    def body(self):
        self.page.wait_for(lambda: self.find(".reply-body").text, "the body of the reply")
        return self.find(".reply-body").text


@pytest.fixture(scope="module")
def page(folder, front):
    page = Page(folder / front.name, f"http://127.0.0.1:{front.port}")
    yield page
    page.driver.quit()


@pytest.fixture(autouse=True)
def fresh(page, users):
    page.open()
    yield
    assert page.complaints() == []


# What it shows

def test_it_lists_all_operations(page, front):
    document = front.ask("GET", "/openapi.json").json
    expected = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    shown = {tuple(element.text for element in operation.find_elements(By.CSS_SELECTOR, ".method, .path"))
             for operation in page.all(".operation > summary")}
    assert shown == expected
    assert len(page.all("#index a")) == len(expected)
    assert page.driver.title == "leat 0.1.0"
    page.look("list")


def test_it_shows_schemas(page):
    post = page.operation("post_api_users")
    schema = post.find(".inside > .schema").text
    assert re.search(r"^name string 1 to 80 characters required$", schema, re.MULTILINE), schema
    assert re.search(r"^email string email, at most 254 characters required$", schema, re.MULTILINE), schema
    post.find(".replies > details > summary").click()
    page.wait_for(lambda: "id integer int64 required" in post.find(".replies").text, "the schema of a reply")
    page.look("schema")


def test_a_schema_in_a_schema_opens(page):
    operation = page.operation("get_api_users")
    operation.find(".replies > details > summary").click()
    operation.find(".replies .schema details > summary").click()
    page.wait_for(lambda: "email string required" in operation.find(".replies .schema").text, "the members of a list's items")


# What it sends

def test_a_click_sends_a_request_and_shows_the_reply(page):
    operation = page.operation("get_api_users_id")
    operation.fill("id", "7")
    operation.send()
    operation.wait_status("200")
    assert json.loads(operation.body()) == {"id": 7, "name": "User 7", "email": "user7@example.org"}
    assert operation.body().splitlines()[1] == '  "id": 7,'
    page.look("reply")


def test_a_failure_is_a_reply_too(page):
    operation = page.operation("get_api_users_id")
    operation.fill("id", "999")
    operation.send()
    operation.wait_status("404")
    assert json.loads(operation.body())["title"] == "Not found"
    page.look("failure")


def test_a_path_wants_its_parameters(page):
    operation = page.operation("get_api_users_id")
    operation.send()
    assert page.focused().get_attribute("name") == "id"
    assert operation.status() == ""


def test_a_body_is_filled_in_to_begin_with(page):
    operation = page.operation("post_api_users")
    operation.send()
    operation.wait_status("201")
    assert json.loads(operation.body())["email"] == "ada@example.org"


def test_what_is_wrong_with_a_body_is_shown(page):
    operation = page.operation("post_api_users")
    operation.fill("body", '{"name": ""}')
    operation.send()
    operation.wait_status("422")
    assert {fault["pointer"] for fault in json.loads(operation.body())["errors"]} == {"#/name", "#/email"}


def test_a_query_and_headers_can_be_added(page, leat):
    operation = page.operation("get_api_users")
    operation.fill("query", "limit=2")
    operation.fill("headers", "X-Request-Id: from-the-page")
    operation.send()
    operation.wait_status("200")
    assert len(json.loads(operation.body())["users"]) == 2
    leat.wait_for(lambda: any(line["id"] == "from-the-page" for line in leat.access_lines()), "the access log has the header")
    operation.find("form > div:last-child > details:last-child > summary").click()
    assert "curl -i -X GET 'http://127.0.0.1:" in operation.find("form > div:last-child > details:last-child").text


def test_a_reply_without_content_shows_none(page):
    operation = page.operation("delete_api_users_id")
    operation.fill("id", "3")
    operation.send()
    operation.wait_status("204")
    page.wait_for(lambda: not operation.find(".reply-body").is_displayed(), "no body is shown")


# What a service may have beyond the example

@pytest.fixture
def surface_page(folder, page, surface_front):
    """The same browser before the other service."""
    mine, page.url = page.url, f"http://127.0.0.1:{surface_front.port}"
    yield page.open()
    page.url = mine


def test_large_numbers_stay_as_they_are(surface_page):
    operation = surface_page.operation("whole")
    operation.fill("body", json.dumps(test_openapi.WHOLE))
    operation.send()
    operation.wait_status("200")
    assert '  "large": 9007199254740993,\n' in operation.body()
    surface_page.look("whole")


def test_what_is_filled_in_is_taken(surface_page):
    """A field of each kind, with limits: the body to begin with keeps them."""
    operation = surface_page.operation("whole")
    operation.send()
    operation.wait_status("200")


def test_the_rest_of_a_path_keeps_its_slashes(surface_page):
    operation = surface_page.operation("rest")
    operation.fill("rest", "a b/c%2Fd/?e")
    operation.send()
    operation.wait_status("200")
    assert operation.body() == "a b/c%2Fd/?e"


def test_a_document_with_markup_is_text(surface_page):
    assert "What </script> came" in surface_page.one("#whole > summary").text


def test_credentials_are_sent(surface_page):
    operation = surface_page.operation("get_auth_key")
    operation.send()
    operation.wait_status("401")
    surface_page.one(".credentials > summary").click()
    surface_page.one("[name='credentials api_key_2']").send_keys(auth_files.API_KEY)
    operation.send()
    operation.wait_status("200")
    surface_page.look("credentials")


def test_an_endless_reply_is_shown_and_stopped(surface_page):
    operation = surface_page.operation("ticks")
    operation.send()
    operation.body()
    operation.find("button.plain").click()
    surface_page.wait_for(lambda: "Stopped" in operation.status(), "it has stopped")


# By keyboard alone

def test_keys_find_an_operation_and_send_it(page):
    page.press("/")
    assert page.focused().get_attribute("id") == "filter"
    page.press("one user")
    page.wait_for(lambda: page.one("#found").text == "1 of 7", "the count")
    assert [link.text for link in page.all("#index a") if link.is_displayed()] == ["GET\n/api/users/{id}"]
    page.look("found")
    page.press(Keys.TAB, Keys.ENTER)
    page.wait_for(lambda: page.focused().tag_name == "summary", "the operation has the focus")
    page.press(Keys.TAB, "7", Keys.ENTER)
    Operation(page, "get_api_users_id").wait_status("200")


def test_an_operation_has_an_address(page):
    page.open("#get_api_users_id")
    assert Operation(page, "get_api_users_id").find("form").is_displayed()


# Light, dark, small

@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_it_can_be_read(page, scheme, width):
    """WCAG 1.4.3: 4.5 to 1 for the text there is; and nothing to be scrolled sideways."""
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    try:
        page.open("#put_api_users_id")
        Operation(page, "put_api_users_id").fill("id", "4")
        page.look(f"{scheme}-{width}")
        assert page.driver.execute_script(LOWEST_CONTRAST) >= 4.5
        assert page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


LOWEST_CONTRAST = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => channels(color).slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (channels(color).length === 3 || channels(color)[3] > 0)
            return color;
    }
};
const ratio = (element) => {
    const pair = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
};
return Math.min(...[...document.querySelectorAll("body *:not(script)")]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
    .map(ratio));
"""


# What it may not do

def test_its_policy_lets_nothing_else_run(page, front):
    policy = front.ask("GET", "/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    ran = page.driver.execute_script("""
        const script = document.createElement("script");
        try { script.text = "window.ran = 1"; document.body.append(script); } catch (refused) { }
        return window.ran === 1;""")
    assert not ran
    assert any("Content Security Policy" in line or "TrustedScript" in line for line in page.complaints())


def test_it_asks_no_other_host(page):
    names = page.driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert names == []
    assert "//" not in re.sub(r"data:[^\"]*", "", page.driver.find_element(By.TAG_NAME, "head").get_attribute("innerHTML"))


def test_the_page_is_kept_by_its_tag(front):
    tag = front.ask("GET", "/docs").headers["ETag"]
    assert front.ask("GET", "/docs", headers={"If-None-Match": tag}).status == 304
