"""Metrics as a scrape tells them."""

from prometheus_client.parser import text_string_to_metric_families

from adapters.telemetry.metrics import Metrics


def told_by(exposition: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample; 0 where it was never counted."""
    return metrics.registry.get_sample_value(name, labels) or 0.0
