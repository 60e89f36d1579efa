"""Every register and channel there is, in the order in which reports show them."""

from __future__ import annotations

from probes.shift.synthetic.channels import CHANNELS
from probes.shift.synthetic.regions import REGIONS
from probes.shift.synthetic.styles import STYLES
from probes.text.perturbations.perturbation import Perturbation

REGISTERS: dict[str, Perturbation] = {register.name: register for register in (*CHANNELS, *STYLES, *REGIONS)}
"""By name; the names are values of the parameter `registers` and of the slices."""
