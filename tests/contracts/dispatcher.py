"""What every Dispatcher promises: little, since the outbox finds what it lost."""

from domain.events import ClaimedEvent
from domain.ports.dispatcher import Dispatcher


def claim(event_id: int, token: str = "a") -> ClaimedEvent:
    return ClaimedEvent(event_id=event_id, lease_token=token)


class DispatcherContract:
    async def test_room_shrinks_with_what_waits(self, dispatcher: Dispatcher) -> None:
        before = await dispatcher.room()
        await dispatcher.dispatch(claim(1))
        assert await dispatcher.room() == before - 1

    async def test_the_same_claim_twice_waits_once(self, dispatcher: Dispatcher) -> None:
        await dispatcher.dispatch(claim(1))
        room = await dispatcher.room()
        await dispatcher.dispatch(claim(1))
        assert await dispatcher.room() == room

    async def test_a_new_claim_of_the_same_event_waits_beside_the_old_one(self, dispatcher: Dispatcher) -> None:
        await dispatcher.dispatch(claim(1, "old"))
        room = await dispatcher.room()
        await dispatcher.dispatch(claim(1, "new"))
        assert await dispatcher.room() == room - 1

    async def test_what_killed_workers_left_never_stops_the_flow(self, dispatcher: Dispatcher) -> None:
        for number in range(50):
            await dispatcher.dispatch(claim(number))
        assert await dispatcher.room() == 1
