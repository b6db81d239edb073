/// The rectangle of a line on its page, from the page's upper left corner: in points (1/72 inch), or
/// in the pixels of a picture.
package struct LineBox: Sendable, Hashable, Codable {
    package let left: Double
    package let top: Double
    package let width: Double
    package let height: Double

    package init(left: Double, top: Double, width: Double, height: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }
}
