/** How long ago, for a list: "just now", "5 min ago", "3 h ago", "2 days ago". */
export function age(from: string, now: Date = new Date()): string {
  const minutes = Math.floor((now.getTime() - new Date(from).getTime()) / 60_000);
  if (!Number.isFinite(minutes)) return "";
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} days ago`;
}
