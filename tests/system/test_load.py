"""What the load states: whatever of it got lost, the counters would miss it in the end."""

from tests.system.load import STATIONS, Client, Ledger

FACTS = 20_000
FEW = 40


def test_hardly_any_few_statements_in_a_row_are_all_restated_later() -> None:
    client, said = Client(str, "", "c0", Ledger()), list[str]()
    while len(said) < FACTS:
        said += [stated["subject"] for stated in client.batch()]
    last = {subject: n for n, subject in enumerate(said)}
    stands = [last[subject] == n for n, subject in enumerate(said)]
    missed = [any(stands[n : n + FEW]) for n in range(0, FACTS, FEW)]
    assert sum(missed) > 0.99 * len(missed)


def test_corrections_move_facts_and_enterprises_are_many_and_served_more_than_once() -> None:
    ledger = Ledger()
    client = Client(str, "", "c0", ledger)
    while ledger.acknowledged < FACTS:
        for stated in client.batch():
            client.acknowledge(stated)
    whole = ledger.measures()
    assert len(ledger.statements) > 2 * len(ledger.standing)
    assert 1000 < whole["enterprises_served"] < whole["services_delivered"] / 2
    alone = sum(ledger.measures(node)["enterprises_served"] for node in STATIONS)
    assert whole["enterprises_served"] < alone
