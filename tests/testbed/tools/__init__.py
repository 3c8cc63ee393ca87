"""Programs around the shop: its users, its card company, the network between its services, its log shipper."""
