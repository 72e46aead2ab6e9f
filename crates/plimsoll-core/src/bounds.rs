//! Every bound of the model, in one place.

/// The largest amount, limit or account figure: 2^53 − 1.
///
/// It is exact in JSON, in every client language (a double holds it) and in SQL's signed 64 bits.
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// Bytes in an id: scope, location, reservation, principal.
pub const ID_LEN_MAX: usize = 128;

/// Bytes in each half of a resource name: `service/name`.
pub const RESOURCE_PART_LEN_MAX: usize = 64;

/// Bytes in a free text: a reason, a description, a holder, an attribute's value.
pub const TEXT_LEN_MAX: usize = 512;

/// Attributes of one location or reservation.
pub const ATTRIBUTES_MAX: usize = 16;

/// Lines in one reservation.
pub const RESERVATION_LINES_MAX: usize = 64;

/// Scopes on the way from a scope to its tenant, both counted.
pub const SCOPE_DEPTH_MAX: u8 = 8;

/// Resources in the catalogue.
pub const RESOURCES_MAX: usize = 1_000;

/// Locations in the catalogue.
pub const LOCATIONS_MAX: usize = 1_000;

/// Tiers in the catalogue.
pub const TIERS_MAX: usize = 100;

/// Ceilings in one tier.
pub const TIER_LIMITS_MAX: usize = 1_000;

/// Limits of one scope and item, each with another window.
pub const LIMITS_OF_ITEM_MAX: usize = 16;

/// Parts of a limit at which a resource makes somebody know.
pub const ALERTS_MAX: usize = 4;

/// Requests of one tenant. Beyond it, the oldest that is decided is forgotten for each new one.
pub const REQUESTS_OF_TENANT_MAX: usize = 1_000;

/// The longest wait between two requests that are approved at once: a year in milliseconds.
pub const COOL_OFF_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;

/// Things in one inventory.
pub const INVENTORY_THINGS_MAX: usize = 100_000;

/// Webhooks of the whole server.
pub const WEBHOOKS_MAX: usize = 100;

/// The longest hold: 30 days in milliseconds.
pub const HOLD_TTL_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1_000;

/// The hold of a caller who names none: five minutes in milliseconds.
pub const HOLD_TTL_MS_DEFAULT: u64 = 5 * 60 * 1_000;

/// Holds expired by one `expire` command, so that one batch stays small.
pub const EXPIRE_HOLDS_MAX: usize = 1_000;

/// Ended reservations forgotten by one `forget` command, so that one batch stays small.
pub const FORGET_RESERVATIONS_MAX: usize = 1_000;

/// Holds looked at to say when a refused reservation would fit.
pub const FITS_AT_HOLDS_MAX: usize = 1_000;

/// Lines of those holds looked at: a refusal must not cost others their turn.
pub const FITS_AT_LINES_MAX: usize = 2_000;

/// The last instant that a log can name: 9999-12-31T23:59:59.999Z in milliseconds.
pub const TIMESTAMP_MS_MAX: u64 = 253_402_300_799_999;

/// Items in one page of a list, and in a page whose size the caller does not name.
pub const PAGE_ITEMS_MAX: usize = 1_000;
