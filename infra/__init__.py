"""What Upkeep needs of Azure, in Bicep, and the check of it."""
