from entrypoints.embedded.supervisor import RestartPolicy


def test_pauses_before_a_restart_double_up_to_the_longest() -> None:
    policy = RestartPolicy(first_delay_s=0.5, longest_delay_s=3.0)

    assert [policy.delay_after(deaths) for deaths in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
