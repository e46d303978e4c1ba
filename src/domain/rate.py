"""How often somebody may ask: a bucket of tokens, kept as the one moment at which it is full again."""

from dataclasses import dataclass

_MINUTE_S = 60.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`per_minute` at once, and as many in each minute after that; 0 is as often as one likes."""

    per_minute: int

    def after_one(self, full_at_s: float, now_s: float) -> float:
        """When a bucket that would be full at `full_at_s` is full again after one more token is taken from it now."""
        return max(full_at_s, now_s) + _MINUTE_S / self.per_minute

    def wait_s(self, full_at_s: float, now_s: float) -> float:
        """How long until there is a token to take; 0 where there is one now."""
        if not self.per_minute:
            return 0.0
        wait_s = self.after_one(full_at_s, now_s) - now_s - _MINUTE_S
        return wait_s if wait_s > _ROUNDING_S else 0.0
