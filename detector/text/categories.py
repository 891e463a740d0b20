"""What calls are about: the names that scenarios, the lexicon and the text model share."""

__all__ = ["UNWANTED", "WANTED"]

UNWANTED = (
    "loan",
    "real_estate",
    "insurance",
    "investment",
    "education",
    "telecom_plan",
    "credit_card",
    "debt_collection",
    "ecommerce_refund",
    "prize",
    "liquor_health",
    "decoration",
    "fitness_beauty",
    "invoice",
    "recruitment",
    "police_impersonation",
    "survey",
    "other_sales",
)
"""Categories of calls that nobody wants."""
WANTED = (
    "delivery",
    "food_delivery",
    "ride",
    "family",
    "friend",
    "work",
    "medical",
    "school",
    "property_management",
    "bank_security",
    "appointment",
    "government",
    "repair",
    "neighbour",
    "wrong_number",
    "notice",
)
"""Categories of calls that are wanted; the last one is an announcement's."""
