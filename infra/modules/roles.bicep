// Azure's built-in roles by name, so that an assignment reads as what it gives. The ids are the same in every tenant.
// Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles. Imported by all modules that assign roles.

@export()
var roles = {
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  'Azure AI Enterprise Network Connection Approver': 'b556d68e-0be0-4f35-a333-ad7ee1ce17ea'
  'AzureML Data Scientist': 'f6c7c914-8db3-469d-8ca1-694a8f32e121'
  'AzureML Registry User': '1823dd4f-9b8c-4ab6-ab4e-7397a3684615'
  'Log Analytics Reader': '73c42c96-874c-492b-b04d-ab87d138a893'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Queue Data Message Sender': 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}
