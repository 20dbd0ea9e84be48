"""A professional coach's side: summaries of many households, kept for as long as each allows, sorted by who asks."""
