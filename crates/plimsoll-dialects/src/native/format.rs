//! How a batch travels.

/// The form of a batch's body, and so of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, or a body that does not say what it is.
    Json,
    /// Protobuf under the name that is registered.
    Protobuf,
    /// Protobuf under the name that was used before there was one.
    XProtobuf,
}

impl Format {
    /// Those that are not JSON.
    pub(super) const BINARY: [Format; 2] = [Format::Protobuf, Format::XProtobuf];

    /// The type of a body of this form.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Protobuf => "application/protobuf",
            Format::XProtobuf => "application/x-protobuf",
        }
    }
}
