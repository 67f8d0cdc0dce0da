"""What one batch shows: findings, the evidence of each layer, and notes about data and parameters."""
