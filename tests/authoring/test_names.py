import pytest

from loader.authoring import lint_contracts


@pytest.fixture
def told(folder, write):
    """Lints contracts of these names; (file, fix) of each name that is told."""

    def lint(*names):
        for number, name in enumerate(names):
            write({"name": name, "rules": {}}, f"track/{number}.json")
        findings = lint_contracts(folder).findings
        return [(names[int(f.file[6:-5])], f.fix) for f in findings if f.rule == "name_form"]

    return lint


@pytest.mark.parametrize(
    "name",
    [
        "Order Completed",
        "Signed Up",
        "Product Added to Wishlist",
        "Email Marked as Spam",
        "Video 2 Started",
        "FAQ Opened",
        "Заказ оформлен",
        "注文完了",
    ],
)
def test_a_name_in_title_case_is_canonical(told, name):
    assert told(name) == []


@pytest.mark.parametrize("name", ["order paid", "Order paid", "order_paid", "orderPaid", "ORDER-x"])
def test_a_name_in_another_form_is_told(told, name):
    others = ("Cart Viewed", "Cart Left")

    assert [named for named, _ in told(name, *others)] == [name]


def test_a_plan_may_have_a_form_of_its_own(told):
    assert told("order_paid", "cart_viewed", "Cart Left") == [
        ("Cart Left", "write all events in one form")
    ]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("order completed", "write 'Order Completed'"),
        ("Completed Order", "send and plan 'Order Completed'"),
        ("Order  Paid", "take them out"),
        (" Order Paid", "take them out"),
        ("Order\u00a0Paid", "take them out"),
    ],
)
def test_a_known_event_is_called_as_tools_know_it(told, name, fix):
    assert told(name) == [(name, fix)]


def test_properties_that_meet_in_one_column_are_told(folder, write):
    described = {"orderId": {}, "order_id": {}, "a": {"properties": {"b": {}}}, "a_b": {}, "c": {}}
    write({"name": "Checked", "rules": {"properties": described}})

    findings = lint_contracts(folder).findings

    assert [(f.severity, f.rule) for f in findings] == [("warning", "names_meet")] * 2
    assert "orderId and order_id meet in the column order_id" in findings[0].message
    assert "a.b and a_b meet in the column a_b" in findings[1].message
