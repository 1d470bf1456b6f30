from resformer.scripts.lib.adaptive_limit import AdaptiveLimit


def use_up(limit: AdaptiveLimit, rounds: int) -> None:
    """Has as many requests under way as it allows, and answers them, so often."""
    for _ in range(rounds):
        sent = [limit.begin() for _ in range(limit.room)]
        for moment in sent:
            limit.end(moment, answered=True)
            limit.begin()
        for _ in range(limit.under_way):
            limit.end(0.0)


def test_rises_while_it_is_used_up_and_not_above_the_most() -> None:
    limit = AdaptiveLimit(10)
    assert limit.value == 4
    use_up(limit, 2)
    assert 5 <= limit.value <= 6
    use_up(limit, 40)
    assert limit.value == 10


def test_stays_while_it_is_not_used_up() -> None:
    limit = AdaptiveLimit(10)
    for _ in range(100):
        limit.end(limit.begin(), answered=True)
    assert limit.value == 4


def test_halves_once_for_requests_that_were_sent_together() -> None:
    limit = AdaptiveLimit(64)
    use_up(limit, 30)
    before = limit.value
    assert before > 16
    together = [limit.begin() for _ in range(8)]
    for sent in together:
        limit.end(sent, refused=True)
    assert limit.value == before // 2
    limit.end(limit.begin(), refused=True)
    assert limit.value == before // 4


def test_never_falls_below_one() -> None:
    limit = AdaptiveLimit(64)
    for _ in range(20):
        limit.end(limit.begin(), refused=True)
    assert limit.value == 1
    limit.restart()
    assert limit.room == 1
