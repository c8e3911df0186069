output "user_data" {
  value       = "#cloud-config\n${yamlencode(local.user_data)}"
  description = "For the first boot."
}

output "kernel_command_line" {
  value       = local.kernel
  description = "What is added to it; the role hft_host writes the same."
}
