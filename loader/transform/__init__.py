"""Builds the marts: dbt over a copy of the warehouse, published only if all of it went well."""

from loader.transform.build import TransformReport, build_anew, transform
from loader.transform.results import NodeResult

__all__ = ["NodeResult", "TransformReport", "build_anew", "transform"]
