/// Moments in the form that a pattern such as `%Y-%m-%d` describes.
enum MomentFormat {
    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// Nil for a pattern with something in it that is not known here.
    static func text(milliseconds: Int64, format: String) -> String? {
        let moment = Calendar.bounded(milliseconds)
        var result = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            let isFraction = rest.hasPrefix(".3f")
            if isFraction { rest.removeFirst(2) }
            guard let field = rest.popFirst(), let text = isFraction ? fraction(moment, ".", 3) : text(field, moment)
            else { return nil }
            result += text
        }
        return result
    }

    private static func text(_ field: Character, _ moment: Int64) -> String? {
        let day = Calendar.floorDivide(moment, Calendar.millisecondsPerDay)
        let seconds = (moment - day * Calendar.millisecondsPerDay) / 1000
        let date = Calendar.date(days: day)
        let hour = seconds / 3600
        let weekday = Calendar.daysSinceMonday(day)
        switch field {
        case "Y": return Calendar.digits(date.year, 4)
        case "y": return Calendar.digits(date.year - Calendar.floorDivide(date.year, 100) * 100, 2)
        case "m": return Calendar.digits(date.month, 2)
        case "d": return Calendar.digits(date.day, 2)
        case "e": return String((" " + String(date.day)).suffix(2))
        case "j": return Calendar.digits(Calendar.dayOfYear(day), 3)
        case "H": return Calendar.digits(hour, 2)
        case "I": return Calendar.digits((hour + 11) % 12 + 1, 2)
        case "M": return Calendar.digits(seconds / 60 % 60, 2)
        case "S": return Calendar.digits(seconds % 60, 2)
        case "f": return fraction(moment, "", 9)
        case "p": return hour < 12 ? "AM" : "PM"
        case "A": return days[Int(weekday)]
        case "a": return String(days[Int(weekday)].prefix(3))
        case "B": return months[Int(date.month) - 1]
        case "b", "h": return String(months[Int(date.month) - 1].prefix(3))
        case "u": return String(weekday + 1)
        case "w": return String((weekday + 1) % 7)
        case "s": return String(Calendar.floorDivide(moment, 1000))
        case "F": return text(milliseconds: moment, format: "%Y-%m-%d")
        case "T": return text(milliseconds: moment, format: "%H:%M:%S")
        case "R": return text(milliseconds: moment, format: "%H:%M")
        case "D": return text(milliseconds: moment, format: "%m/%d/%y")
        case "Z": return "UTC"
        case "z": return "+0000"
        case "%": return "%"
        default: return nil
        }
    }

    private static func fraction(_ moment: Int64, _ point: String, _ count: Int) -> String {
        let milliseconds = moment - Calendar.floorDivide(moment, 1000) * 1000
        return point + Calendar.digits(milliseconds, 3) + String(repeating: "0", count: count - 3)
    }
}
