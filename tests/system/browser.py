# SPDX-License-Identifier: MIT
"""Chromium before a center, driven by roles and names as a person, or a screen reader, finds them.

One browser serves all tests of a module. It has a folder of its own for everything it writes, so that it needs no
home; nothing is fetched from anywhere else.
"""
import os
import re
import shutil
import tempfile

import pytest

from world import BUILD, PATIENCE, wait_until

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

# Where elements of a role are looked for; the browser itself says which role and name each has.
CANDIDATES = {
    "alert": "[role=alert]", "button": "button", "checkbox": "input[type=checkbox]", "combobox": "[role=combobox], select",
    "dialog": "dialog[open]", "heading": "h1, h2", "link": "a[href]", "option": "[role=option]", "region": "section",
    "searchbox": "input[type=search]", "status": "[role=status]",
    "textbox": "input:not([type]), input[type=text], input[type=email], input[type=tel], textarea",
    "field": "input:not([type=hidden]):not([type=checkbox]), textarea, select",
}
# Those that are seen and say the name somewhere.
NEAR = """
    const [inside, selector, name] = arguments;
    const words = e => [e.getAttribute("aria-label"), document.getElementById(e.getAttribute("aria-labelledby"))?.textContent,
        ...[...(e.labels || [])].map(label => label.textContent), e.textContent].join(" ").replace(/\\s+/g, " ");
    return [...(inside || document).querySelectorAll(selector)]
        .filter(e => e.checkVisibility() && (name === null || words(e).includes(name)));
"""
# axe-core, where `make check` has brought it.
AXE = BUILD / "axe" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """
    const [options, done] = arguments;
    axe.run(options).then(found => done(found.violations.map(
        v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | ")}`)));
"""
# A refused form is answered so, and the console notes it; all else there is a fault.
EXPECTED = re.compile(r"status of (409|422)")


def missing():
    """Why there is no browser; None where there is."""
    if webdriver is None:
        return "python3-selenium isn't installed"
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} isn't installed"
    return None


class NoBrowser(Exception):
    pass


class Browser:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="dispatchd-browser-")
        options = Options()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-crash-reporter",
                         "--disable-background-networking", "--disable-component-update", "--no-first-run",
                         "--hide-scrollbars", "--force-prefers-reduced-motion", f"--user-data-dir={self.directory}/profile"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        environment = {**os.environ, "HOME": self.directory, "XDG_CONFIG_HOME": self.directory, "XDG_CACHE_HOME": self.directory}
        try:
            self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver"), env=environment), options=options)
        except WebDriverException as fault:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise NoBrowser(f"Chromium doesn't start here: {fault.msg.splitlines()[0]}") from fault
        self.driver.set_page_load_timeout(30 * PATIENCE)
        self.driver.set_script_timeout(30 * PATIENCE)
        self.center = None

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- the window

    def begin(self, center, person=None, scripts=True, width=1280, height=900, dark=False):
        """A window as it is after a login, without what an earlier test left."""
        self.center = center
        if center is None or f"//{center.address}/" not in self.driver.current_url:
            self.driver.get("about:blank")  # an earlier test's page would go on asking its center, which is gone
        self.command("Network.clearBrowserCookies")
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if person:
            name, _, value = person.headers["Cookie"].partition("=")
            self.command("Network.setCookie", name=name, value=value, url=f"http://{center.address}/", httpOnly=True)
        self.driver.get_log("browser")
        return self

    def axe(self, tags=None):
        """What axe-core finds wrong with the page, by the rules with one of these tags, or by all."""
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        return self.driver.execute_async_script(RUN_AXE, {"runOnly": {"type": "tag", "values": tags}} if tags else {})

    def command(self, command, /, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def open(self, path):
        self.driver.get(f"http://{self.center.address}{path}")
        return self

    @property
    def path(self):
        return self.driver.current_url.partition(self.center.address)[2]

    def faults(self):
        """What the console has that nobody wants to see there."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] in ("SEVERE", "WARNING") and not EXPECTED.search(line["message"])]

    # ---- what is there

    def all(self, role, name=None, inside=None):
        """Those that may have that name are found in one step; the browser then says what it really is."""
        near = self.driver.execute_script(NEAR, inside, CANDIDATES[role], name)
        return [element for element in near if name is None or element.accessible_name == name]

    def wait(self, check, what):
        """Waits as wait_until() does; what can't be found, or is being replaced, isn't there yet."""
        def there():
            try:
                return check()
            except WebDriverException:
                return None
        return wait_until(there, what)

    def find(self, role, name=None, inside=None):
        """The first one of that role and accessible name; waits for it."""
        return self.wait(lambda: self.all(role, name, inside), lambda: f"a {role} called {name!r} on {self.path}")[0]

    def text(self, selector="body"):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def wait_text(self, text, selector="main"):
        self.wait(lambda: text in self.text(selector), lambda: f"{text!r} in {selector} of {self.path}")

    def wait_path(self, path):
        wait_until(lambda: self.path.partition("#")[0] == path, lambda: f"the page {path}, not {self.path}")

    def wait_gone(self, role, name=None):
        self.wait(lambda: not self.all(role, name), f"no {role} called {name!r}")

    # ---- what one does

    def use(self, act, role, name, inside=None):
        """Finds it once more where the page was replaced in between."""
        try:
            return act(self.find(role, name, inside))
        except StaleElementReferenceException:
            return act(self.find(role, name, inside))

    def click(self, role, name, inside=None):
        self.use(lambda element: element.click(), role, name, inside)

    def type(self, name, text, inside=None):
        def fill(field):
            field.clear()
            field.send_keys(text)
            return field
        return self.use(fill, "field", name, inside)

    def set_day(self, name, day, inside=None):
        """Types into a date field, whose parts are in the browser's own order (en-US: month, day, year)."""
        year, month, of_month = day.split("-")
        field = self.find("field", name, inside)
        field.send_keys(month + of_month + year)
        assert field.get_attribute("value") == day

    def press(self, *keys):
        """Keys to whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    def wait_focus(self, name):
        self.wait(lambda: self.focused.accessible_name == name, f"{name!r} to have the focus")


__all__ = ["Browser", "NoBrowser", "missing"] + (["Keys"] if webdriver else [])


def one_for_all():
    """For a fixture of a module: `yield from` it. Skips its tests where there is no browser."""
    try:
        found = Browser()
    except NoBrowser as why:
        pytest.skip(str(why))
    try:
        yield found
    finally:
        found.close()
