// Every setting that the app, its triggers and the Functions host read, and no other: docs/reference/settings.md tells of each.
// FUNCTIONS_WORKER_RUNTIME is missing on purpose: Flex Consumption takes it from the app's configuration and refuses the setting.

import { Names } from 'names.bicep'

param appName string
param stage string
param names Names
param sweepSchedule string

resource site 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.appIdentity
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.storage
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: names.logs
}

var clientId = identity.properties.clientId
var endpoints = storage.properties.primaryEndpoints

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    // The host's own: locks, timers, secrets.
    AzureWebJobsStorage__blobServiceUri: endpoints.blob
    AzureWebJobsStorage__queueServiceUri: endpoints.queue
    AzureWebJobsStorage__tableServiceUri: endpoints.table
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    // The connection UPKEEP_STORAGE of the queue triggers; the app reads the three addresses too.
    UPKEEP_STORAGE__blobServiceUri: endpoints.blob
    UPKEEP_STORAGE__queueServiceUri: endpoints.queue
    UPKEEP_STORAGE__tableServiceUri: endpoints.table
    UPKEEP_STORAGE__credential: 'managedidentity'
    UPKEEP_STORAGE__clientId: clientId
    UPKEEP_SUBSCRIPTION_ID: subscription().subscriptionId
    UPKEEP_RESOURCE_GROUP: resourceGroup().name
    UPKEEP_WORKSPACE: names.workspace
    UPKEEP_LOG_WORKSPACE_ID: logs.properties.customerId
    // Bicep's environment() does not know it; another cloud than the public one puts its own here.
    #disable-next-line no-hardcoded-env-urls
    UPKEEP_LOGS_ENDPOINT: 'https://api.loganalytics.io'
    UPKEEP_ENVIRONMENT: stage
    UPKEEP_SWEEP_SCHEDULE: sweepSchedule
    // azure-identity tries exactly this credential (shared/adapters/credentials.py).
    AZURE_CLIENT_ID: clientId
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  }
}
