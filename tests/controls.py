"""A page in a browser, for tests/browser: its answer, its charts, its controls."""

# An element that is there while the server has nothing to do.
IDLE = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def answer(page):
    return page.locator("h1").inner_text()


def chart(page, start):
    """The chart whose text alternative starts so."""
    return page.locator(f'[role=graphics-document][aria-label^="{start}"]')


def press(page, key, *keys):
    """Press keys on the control with this key, as a visitor without a mouse does."""
    page.locator(f".st-key-{key} input").first.focus()
    for name in keys:
        page.keyboard.press(name)


def choose(page, key, name):
    page.locator(f".st-key-{key}").get_by_role("radio", name=name, exact=True).click()
