"""Documents in MongoDB, in the two layouts that databroker 1.x has."""
