-- The database of Plimsoll, made once, on the primary.
-- `${…}` are filled in by `envsubst`; see README.md.
CREATE ROLE plimsoll LOGIN PASSWORD '${PLIMSOLL_PASSWORD}';
CREATE DATABASE plimsoll OWNER plimsoll;
