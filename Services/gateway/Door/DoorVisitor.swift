import NIOCore

/// What comes through the door: a connection, or what one carries.
protocol DoorVisitor: AnyObject {
    /// Whose socket it is: a client's or a proxy's.
    var peer: IPAddress? { get }
    /// It takes one of the places that there are for connections.
    var isCounted: Bool { get }
    /// It is sending events.
    var isStreaming: Bool { get }
    /// Once a second.
    func tick(_ now: NIODeadline)
    /// The gateway stops: end as soon as nothing is under way.
    func drain()
    func close()
}
