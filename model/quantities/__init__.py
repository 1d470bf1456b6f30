"""Printed numbers and units, the quantities that they make, and what describes a quantity as an answer."""
