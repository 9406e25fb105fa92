/** 0.423 → "42 %" */
export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** 75 → "1 min 15 s", 8 → "8 s", 4000 → "1 h 7 min" */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600)
    return whole < 600 && whole % 60 !== 0 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.round(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** How long ago, for a list: "just now", "5 min ago", "3 h ago", "2 days ago". */
export function age(from: string, now: Date = new Date()): string {
  const minutes = Math.floor((now.getTime() - new Date(from).getTime()) / 60_000);
  if (!Number.isFinite(minutes)) return "";
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} days ago`;
}
