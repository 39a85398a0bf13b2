"""Where the marks of a chart stand, with coordinates worked out by hand."""

import pytest

from chain_common.web.charts import Point, line_chart, round_ticks, share_bar, spark


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (0.1139, 0.1241, (0.114, 0.116, 0.118, 0.12, 0.122, 0.124)),
        (3.0, 47.0, (10.0, 20.0, 30.0, 40.0)),
        (5.0, 5.0, (5.0,)),
    ],
)
def test_ticks_are_round_numbers_between_the_ends(low, high, ticks):
    assert round_ticks(low, high) == pytest.approx(ticks)


def chart(*values, target=0.0, settled=None):
    points = [Point(str(i), v, True if settled is None else settled[i]) for i, v in enumerate(values)]
    return line_chart("c", "Title", "Description", points, target)


def test_a_line_runs_from_edge_to_edge_and_lower_values_stand_lower():
    wide, narrow = chart(1.0, 0.5, target=0.0).drawings
    # 700 wide: from 64 + 14 to 700 - 18 - 14; 300 high: 22 to 250 for 1.12 to -0.12, so 1.0 is at 22 + 228·0.12/1.24
    assert [mark.x for mark in wide.marks] == ["78.0", "668.0"]
    assert [mark.y for mark in wide.marks] == ["44.1", "136.0"]
    assert wide.target_y == "227.9"
    assert wide.line == "78.0,44.1 668.0,136.0"
    assert [mark.x for mark in narrow.marks] == ["78.0", "278.0"]


def test_a_single_point_and_a_target_at_its_height_can_be_drawn():
    wide, _ = chart(0.5, target=0.5).drawings
    assert wide.marks[0].y == wide.target_y
    assert wide.line == "78.0,136.0"


def test_a_point_that_is_not_settled_is_reached_by_a_line_of_its_own():
    wide, _ = chart(1.0, 0.5, 0.25, settled=[True, True, False]).drawings
    assert wide.line.count(",") == 2
    assert wide.open_line.split()[0] == wide.line.split()[1]
    assert [mark.settled for mark in wide.marks] == [True, True, False]


def test_a_narrow_drawing_leaves_out_labels_that_would_collide():
    _, narrow = chart(*[1.0 - i / 20 for i in range(17)]).drawings
    shown = [mark.label for mark in narrow.marks if mark.shows_label]
    assert shown == ["0", "2", "4", "6", "8", "10", "12", "14", "16"]


def test_shares_fill_the_bar_in_proportion_and_nothing_takes_no_room():
    bar = share_bar("s", "Shares", "…", [("A", 32), ("B", 0), ("C", 32)])
    css, width, slices = bar.drawings[0]
    assert (css, width) == ("wide", 700)
    assert [(s.x, s.width) for s in slices] == [("0.0", "347.0"), ("350.0", "347.0")]
    assert slices[0].label == "A 50.0\N{NO-BREAK SPACE}%"


def test_a_share_too_small_for_its_letter_has_none():
    _, _, slices = share_bar("s", "Shares", "…", [("A", 63), ("B", 1)]).drawings[1]
    assert [s.label for s in slices] == ["A 98.4\N{NO-BREAK SPACE}%", ""]


def test_a_word_sized_line_of_one_value_is_a_dot():
    small = spark([0.12], 0.11)
    assert (small.line, small.dot_x, small.dot_y, small.target_y) == ("", "4.0", "4.0", "24.0")
    assert spark([0.1], 0.1).dot_y == "4.0"
