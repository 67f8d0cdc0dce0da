"""Integrals over normal variables: quadrature, and what the theory is made of."""
