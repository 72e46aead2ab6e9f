//! The ModelArts dialect: Huawei Cloud's resource quotas, and what its SDKs need to ask for them.
//!
//! | operation | source |
//! |---|---|
//! | `GET /v1/{project_id}/quotas` | ModelArts API reference, "Obtaining OS Quotas" |
//! | `GET /v1/{project_id}/os-user-config` | ModelArts API reference, "Querying OS Configuration Parameters" |
//! | `GET /v3/projects` | IAM API reference, "Querying Project Information" |
//!
//! A request goes through [`route`], then [`auth`], then [`decode`]; the call that comes of it
//! names its rows with [`Call::footprint`] and is answered by [`answer`].
//! Every failure on the way is a [`ModelArtsError`] and becomes a reply in [`error_reply`].

use std::sync::OnceLock;

use plimsoll_core::model::{Item, Reach};
use plimsoll_core::names::{ResourceName, ScopeId, Text};
use plimsoll_core::rows::Footprint;

pub mod auth;
mod decode;
mod encode;
mod errors;
mod wire;

pub use decode::{decode, route};
pub use encode::answer;
pub use errors::{ModelArtsError, error_reply};

/// A resource of the catalogue and the type that this dialect calls it.
struct Mapped {
    resource: &'static str,
    resource_type: &'static str,
    item: OnceLock<Option<Item>>,
}

/// The resources that `quotas` lists, in its order: those of the vendor's example, of which alone
/// `os-user-config` tells, then those that the vendor's table enumerates.
static MAPPED: [Mapped; 17] = [
    mapped("modelarts/pool", "pool"),
    mapped("modelarts/network", "network"),
    mapped("vpc/vpc", "VPC"),
    mapped("vpc/subnet", "SUBNET"),
    mapped("vpc/security_group", "SECURITY_GROUP"),
    mapped("vpc/security_group_rule", "SECURITY_GROUP_RULE"),
    mapped("vpc/public_ip", "PUBLIC_IP"),
    mapped("vpc/vpc_peer", "VPC_PEER"),
    mapped("vpc/firewall", "FIREWALL"),
    mapped("vpc/share_bandwidth", "SHARE_BANDWIDTH"),
    mapped("vpc/share_bandwidth_ip", "SHARE_BANDWIDTH_IP"),
    mapped("vpc/loadbalancer", "LOADBALANCER"),
    mapped("vpc/listener", "LISTENER"),
    mapped("vpc/physical_connect", "PHYSICAL_CONNECT"),
    mapped("vpc/virtual_interface", "VIRTUAL_INTERFACE"),
    mapped("vpc/vpc_contain_routetable", "VPC_CONTAIN_ROUTETABLE"),
    mapped("vpc/routetable_contain_routes", "ROUTETABLE_CONTAIN_ROUTES"),
];

/// How many of them `os-user-config` tells of.
const OS_USER_CONFIG_MAPPED: usize = 2;

const fn mapped(resource: &'static str, resource_type: &'static str) -> Mapped {
    Mapped {
        resource,
        resource_type,
        item: OnceLock::new(),
    }
}

impl Mapped {
    /// The account that it is: none of them is counted per location.
    fn item(&self) -> Option<&Item> {
        let item = self.item.get_or_init(|| {
            let resource = ResourceName::parse(self.resource).ok()?;
            Some(Item {
                resource,
                location: None,
            })
        });
        item.as_ref()
    }
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Limits and use of a project's resources.
    Quotas {
        /// Of which project.
        project: ScopeId,
    },
    /// What a project may make of pools and networks, and how.
    OsUserConfig {
        /// Of which project.
        project: ScopeId,
    },
    /// The projects of the caller.
    Projects {
        /// Called so; a region's id, from the vendor's SDKs.
        name: Option<Text>,
    },
}

impl Call {
    /// The rows that [`answer`] may ask for on behalf of a caller with `reach`.
    pub fn footprint(&self, reach: &Reach) -> Footprint {
        let (scope, mapped) = match self {
            Call::Quotas { project } => (Some(project), MAPPED.len()),
            Call::OsUserConfig { project } => (Some(project), OS_USER_CONFIG_MAPPED),
            Call::Projects { .. } => match reach {
                Reach::Everything => (None, 0),
                Reach::Below(project) => (Some(project), 0),
            },
        };
        let items = MAPPED.iter().take(mapped).filter_map(Mapped::item);
        Footprint {
            scopes: scope.cloned().into_iter().collect(),
            items: items.cloned().collect(),
            ..Footprint::default()
        }
    }
}

/// What the operator may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How `quotas` writes its numbers.
    pub numbers: Numbers,
}

/// How `quotas` writes its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// As in every example of the vendor.
    #[default]
    Integer,
    /// As the vendor's table declares them; the only form that its Go SDK reads.
    String,
}

/// The id of a request: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id that `random` makes.
    pub fn from_bytes(random: [u8; 16]) -> RequestId {
        RequestId(format!("{:032x}", u128::from_be_bytes(random)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
