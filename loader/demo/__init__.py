"""`headwater demo`: invented events through the whole pipeline, and a count of what came out."""

from loader.demo.report import DemoReport
from loader.demo.tour import run_demo

__all__ = ["DemoReport", "run_demo"]
